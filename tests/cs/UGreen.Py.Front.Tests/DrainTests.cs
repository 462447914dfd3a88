using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class DrainTests
{
    private const string Request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    // Longer than any test has patience: what ends within it ended for another reason.
    private static readonly TimeSpan s_long = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Under_load_no_request_fails_when_one_of_two_fronts_leaves(bool adopts)
    {
        await using var shared = await SharedFronts.OpenAsync();
        // Alone at first, so that the connections are its own.
        var leaving = await shared.StartAsync("a", adopts);
        await using var load = new KeepAliveLoad([shared.Tcp, shared.Unix], clients: 20, requestsPerConnection: 1000);
        await load.MoreAsync(1000, "a");

        await shared.StartAsync("b", !adopts);
        await leaving.DrainAsync(s_long, CancellationToken.None).WaitAsync(TestFront.Patience);
        var before = load.AnswersOf("a");
        await load.MoreAsync(2000, "b");
        await load.EndAsync();

        Assert.Empty(load.Failures);
        // A client may have read its last answer before this test looked, and counted it after.
        Assert.InRange(load.AnswersOf("a") - before, 0, 20);
        Assert.InRange(load.Closes, 1, 20);
    }

    /// <summary>A connection for each request: at every moment some are being accepted.</summary>
    [Fact]
    public async Task No_connection_is_lost_between_the_kernel_and_a_front_that_stops_accepting()
    {
        await using var shared = await SharedFronts.OpenAsync();
        await shared.StartAsync("b", adopts: false);
        await using var load = new KeepAliveLoad([shared.Tcp, shared.Unix], clients: 20, requestsPerConnection: 1);

        for (var i = 0; i < 25; i++)
        {
            var leaving = await shared.StartAsync("a", adopts: true);
            await load.MoreAsync(50, "a");
            await leaving.DrainAsync(s_long, CancellationToken.None).WaitAsync(TestFront.Patience);
            await leaving.DisposeAsync();
        }

        await load.MoreAsync(100, "b");
        await load.EndAsync();
        Assert.Empty(load.Failures);
    }

    [Fact]
    public async Task Silent_connections_are_served_while_the_front_lingers()
    {
        await using var shared = await SharedFronts.OpenAsync();
        var front = await shared.StartAsync("a", adopts: false);
        using var idle = await RawClient.ConnectAsync(shared.Tcp);
        await idle.SendAsync(Request);
        Assert.DoesNotContain("Connection: close", await idle.ReadUntilAsync("\r\n\r\na"), StringComparison.Ordinal);
        using var fresh = await ServedLaterAsync(shared);
        using var holding = await RawClient.ConnectAsync(shared.Unix);
        await holding.SendAsync(Request);
        await holding.ReadUntilAsync("\r\n\r\na");

        var drain = front.DrainAsync(s_long, CancellationToken.None);
        await idle.SendAsync(Request);
        Assert.Contains("\r\nConnection: close\r\n", await idle.ReadToEndAsync(), StringComparison.Ordinal);
        await fresh.SendAsync(" / HTTP/1.1\r\nHost: x\r\n\r\n");
        Assert.Contains("\r\nConnection: close\r\n", await fresh.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.False(drain.IsCompleted);

        holding.Dispose();
        await drain.WaitAsync(TestFront.Patience);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(200)]
    public async Task After_the_linger_silent_connections_end_cleanly(int milliseconds)
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, "a"));
        using var idle = await RawClient.ConnectAsync(front);
        await idle.SendAsync(Request);
        await idle.ReadUntilAsync("\r\n\r\na");

        await front.DrainAsync(TimeSpan.FromMilliseconds(milliseconds), CancellationToken.None).WaitAsync(TestFront.Patience);

        Assert.Equal("", await idle.ReadToEndAsync());
    }

    [Fact]
    public async Task Running_requests_are_waited_for_and_cut_when_it_gives_up()
    {
        var running = new TaskCompletionSource();
        var gone = new TaskCompletionSource();
        await using var front = await TestFront.StartAsync(async e =>
        {
            await using var registration = e.ClientGone.Register(gone.SetResult);
            running.SetResult();
            await gone.Task;
            FakeApplication.Whole(e, "");
        });
        using var client = await RawClient.ConnectAsync(front);
        await client.SendAsync(Request);
        await running.Task.WaitAsync(TestFront.Patience);
        using var giveUp = new CancellationTokenSource();

        var drain = front.DrainAsync(TimeSpan.Zero, giveUp.Token);
        Assert.False(drain.IsCompleted);
        await giveUp.CancelAsync();

        await gone.Task.WaitAsync(TestFront.Patience);
        await drain.WaitAsync(TestFront.Patience);
    }

    [Fact]
    public async Task Without_connections_it_ends_at_once()
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, "a"));
        using (var client = await RawClient.ConnectAsync(front))
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            await client.ReadToEndAsync();
        }

        await front.DrainAsync(s_long, CancellationToken.None).WaitAsync(TestFront.Patience);
        await front.DrainAsync(s_long, CancellationToken.None).WaitAsync(TestFront.Patience);
    }

    [Fact]
    public async Task What_was_accepted_beyond_the_limit_of_connections_is_served()
    {
        var full = new FullSignal();
        var goOn = new TaskCompletionSource();
        var options = new HttpFrontOptions([HttpEndpoint.Parse("127.0.0.1:0")]) { Limits = new FrontLimits { Connections = 1 } };
        await using var front = new HttpFront(options, new FakeApplication(async e =>
        {
            if (e.Target == "/slow") await goOn.Task;
            FakeApplication.Whole(e, "done");
        }), null, full);
        await front.StartAsync();
        using var first = await RawClient.ConnectAsync(front);
        await first.SendAsync("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
        using var second = await RawClient.ConnectAsync(front);
        await second.SendAsync(Request);
        await full.Seen.WaitAsync(TestFront.Patience);

        var drain = front.DrainAsync(s_long, CancellationToken.None);

        Assert.EndsWith("\r\n\r\ndone", await second.ReadToEndAsync(), StringComparison.Ordinal);
        goOn.SetResult();
        Assert.EndsWith("\r\n\r\ndone", await first.ReadToEndAsync(), StringComparison.Ordinal);
        await drain.WaitAsync(TestFront.Patience);
    }

    /// <summary>A connection of which the front has seen the first bytes: it was accepted, and nothing else of it is there.</summary>
    private static async Task<RawClient> ServedLaterAsync(SharedFronts shared)
    {
        var client = await RawClient.ConnectAsync(shared.Tcp);
        await client.SendAsync("GET");
        // Connections are accepted in their order, so the one before is in when a later one has its answer.
        using var later = await RawClient.ConnectAsync(shared.Tcp);
        await later.SendAsync(Request);
        await later.ReadUntilAsync("\r\n\r\na");
        return client;
    }

    /// <summary>Waits for the line that says that the connections are full.</summary>
    private sealed class FullSignal : ILoggerFactory, ILogger
    {
        private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Seen => _seen.Task;

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => NullLogger.Instance.BeginScope(state);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == 3021) _seen.TrySetResult();
        }

        public void Dispose()
        {
        }
    }
}
