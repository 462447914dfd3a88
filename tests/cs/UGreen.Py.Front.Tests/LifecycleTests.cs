using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Gateway;
using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class LifecycleTests
{
    [Fact]
    public async Task Says_where_it_really_listens()
    {
        await using var front = new HttpFront(
            new HttpFrontOptions([HttpEndpoint.Parse("127.0.0.1:0"), HttpEndpoint.Parse("127.0.0.1:0")]),
            new FakeApplication(_ => Task.CompletedTask), null, NullLoggerFactory.Instance);
        await front.StartAsync();

        Assert.Equal(2, front.Addresses.Count);
        Assert.All(front.Addresses, a => Assert.Matches(@"^http://127\.0\.0\.1:[1-9]\d*$", a));
    }

    [Fact]
    public async Task A_port_in_use_is_one_clear_line()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var address = taken.LocalEndPoint!.ToString();

        await Refused($"cannot listen on --http {address}: the address is already in use", address!);
    }

    [Fact]
    public async Task An_address_of_another_machine_is_one_clear_line()
        => await Refused("cannot listen on --http 192.0.2.1:8080: the address does not belong to this machine", "192.0.2.1:8080");

    [Fact]
    public async Task Of_several_endpoints_the_failing_one_is_named()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var address = taken.LocalEndPoint!.ToString();
        var front = new HttpFront(
            new HttpFrontOptions([HttpEndpoint.Parse("127.0.0.1:0"), HttpEndpoint.Parse(address!)]),
            new FakeApplication(_ => Task.CompletedTask), null, NullLoggerFactory.Instance);

        var error = await Assert.ThrowsAsync<FrontException>(() => front.StartAsync());

        Assert.Equal($"cannot listen on --http {address}: the address is already in use", error.Message);
    }

    [Fact]
    public async Task After_an_error_nothing_listens_and_no_socket_file_is_left()
    {
        var folder = Directory.CreateTempSubdirectory("front-");
        try
        {
            var path = Path.Combine(folder.FullName, "a.sock");
            await Refused($"cannot listen on --http {folder.FullName}/no/b.sock: the directory {folder.FullName}/no does not exist", path, Path.Combine(folder.FullName, "no/b.sock"));
            Assert.Empty(folder.GetFileSystemInfos());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_socket_file_is_there_while_the_front_listens()
    {
        var folder = Directory.CreateTempSubdirectory("front-");
        try
        {
            var path = Path.Combine(folder.FullName, "a.sock");
            var front = new HttpFront(
                new HttpFrontOptions([HttpEndpoint.Parse(path)]) { SocketMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }, new FakeApplication(_ => Task.CompletedTask), null,
                NullLoggerFactory.Instance);
            await front.StartAsync();
            Assert.Equal([$"http://unix:{path}"], front.Addresses);
            if (OperatingSystem.IsLinux()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            await Refused($"cannot listen on --http {path}: the address is already in use", path);
            Assert.True(File.Exists(path));

            await front.DisposeAsync();
            Assert.False(File.Exists(path));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The application cannot be loaded while the sockets are being opened. (Kestrel's clock thread would end the process if it were started and disposed at once.)</summary>
    [Fact]
    public async Task A_start_may_be_given_up_at_any_moment()
    {
        for (var i = 0; i < 200; i++)
        {
            var front = new HttpFront(new HttpFrontOptions([HttpEndpoint.Parse("127.0.0.1:0")]), new FakeApplication(_ => Task.CompletedTask), null, NullLoggerFactory.Instance);
            var starting = Task.Run(front.StartAsync);
            if (i % 2 == 0) await Task.Yield();
            Thread.SpinWait(i * 50);
            await front.DisposeAsync();
            // Whether it came to listen or not: it has ended, and so has everything that it began.
            await starting.ContinueWith(_ => { }, TaskScheduler.Default);
            Assert.True(starting.IsCompletedSuccessfully || starting.IsCanceled || starting.Exception!.InnerException is OperationCanceledException or FrontException, $"{starting.Exception}");
        }
    }

    [Fact]
    public async Task Stop_lets_a_running_request_finish_and_takes_no_new_connection()
    {
        var running = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        await using var front = await TestFront.StartAsync(async e =>
        {
            running.SetResult();
            await goOn.Task;
            FakeApplication.Whole(e, "done");
        });
        using var client = await RawClient.ConnectAsync(front);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await running.Task.WaitAsync(TestFront.Patience);

        var stop = front.StopAsync(CancellationToken.None);
        await Assert.ThrowsAnyAsync<SocketException>(() => ConnectUntilRefusedAsync(front));
        Assert.False(stop.IsCompleted);
        goOn.SetResult();

        await client.ReadUntilAsync("done");
        await stop.WaitAsync(TestFront.Patience);
    }

    [Fact]
    public async Task Stop_cuts_what_is_left_when_it_gives_up()
    {
        var gone = new TaskCompletionSource();
        var running = new TaskCompletionSource();
        await using var front = await TestFront.StartAsync(async e =>
        {
            await using var registration = e.ClientGone.Register(gone.SetResult);
            running.SetResult();
            await gone.Task;
            FakeApplication.Whole(e, "");
        });
        using var client = await RawClient.ConnectAsync(front);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await running.Task.WaitAsync(TestFront.Patience);

        await front.StopAsync(new CancellationToken(canceled: true));

        await gone.Task.WaitAsync(TestFront.Patience);
    }

    [Fact]
    public async Task The_access_log_gets_each_request_once_with_what_was_sent()
    {
        var log = new RecordingLog();
        var front = await TestFront.StartAsync(e =>
        {
            e.Core = 4;
            e.Switches = 9;
            FakeApplication.Whole(e, "hello", e.Target == "/bad" ? 99 : 201);
        }, log);
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET /good HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.ReadUntilAsync("hello");
        await client.SendAsync("GET /bad HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.ReadToEndAsync();
        await front.DisposeAsync();

        Assert.Equal(["GET /good 201 5 4 9", "GET /bad 500 0 4 9"], log.Lines);
    }

    private static async Task Refused(string message, params string[] addresses)
    {
        var front = new HttpFront(
            new HttpFrontOptions([.. addresses.Select(HttpEndpoint.Parse)]), new FakeApplication(_ => Task.CompletedTask), null, NullLoggerFactory.Instance);

        var error = await Assert.ThrowsAsync<FrontException>(() => front.StartAsync());

        Assert.Equal(message, error.Message);
    }

    // The listening socket closes some moments after StopAsync was called; each try is a whole connection, so this ends as soon as it has.
    private static async Task ConnectUntilRefusedAsync(HttpFront front)
    {
        for (var i = 0; i < 10_000; i++)
        {
            using var client = await RawClient.ConnectAsync(front);
        }
    }

    private sealed class RecordingLog : IAccessLog
    {
        public List<string> Lines { get; } = [];

        public void Log(GatewayExchange exchange, int status, long elapsedTicks, bool aborted)
        {
            Assert.True(elapsedTicks > 0);
            Lines.Add($"{exchange.Method} {exchange.Target} {status} {exchange.BytesOut} {exchange.Core} {exchange.Switches}");
        }
    }
}
