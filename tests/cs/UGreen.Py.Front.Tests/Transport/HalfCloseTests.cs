using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Gateway;
using Xunit;

namespace UGreen.Py.Front.Tests.Transport;

/// <summary>Clients that end their sending half behind the request, and clients that are gone: both send a FIN.</summary>
public sealed class HalfCloseTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ugreen-half-").FullName;
    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<bool> _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _begun = new(0);

    public void Dispose()
    {
        _begun.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(false, "1.1")]
    [InlineData(true, "1.1")]
    [InlineData(false, "1.0")]
    public async Task The_answer_comes_whole_however_late(bool isUnix, string version)
    {
        await using var front = await StartAsync(isUnix);
        using var client = await ConnectAsync(front, isUnix);
        await client.SendAsync($"GET /late HTTP/{version}\r\nHost: x\r\n\r\n");
        client.EndSending();
        await _begun.WaitAsync(TestFront.Patience);
        // Longer than a client in the middle of an answer is waited for.
        await Assert.ThrowsAsync<TimeoutException>(() => _left.Task.WaitAsync(Front.Transport.DueAnswer.Grace * 1.5));
        _goOn.SetResult();

        var answer = await client.ReadToEndAsync();

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n/late", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Requests_that_came_together_are_all_answered(bool isUnix)
    {
        await using var front = await StartAsync(isUnix);
        using var client = await ConnectAsync(front, isUnix);
        await client.SendAsync(string.Concat("/a /late /stream /b".Split(' ').Select(t => $"GET {t} HTTP/1.1\r\nHost: x\r\n\r\n")));
        client.EndSending();
        await _begun.WaitAsync(TestFront.Patience);
        _goOn.SetResult();

        var answers = (await client.ReadToEndAsync()).Split("HTTP/1.1 200 OK\r\n");

        Assert.Equal(5, answers.Length);
        Assert.Equal(["", "/a", "/late", "8\r\nonetwo..\r\n5\r\nthree\r\n0\r\n\r\n", "/b"], answers.Select(a => a[(a.IndexOf("\r\n\r\n", StringComparison.Ordinal) is >= 0 and var at ? at + 4 : 0)..]));
    }

    /// <summary>The FIN comes in the middle of an answer, the rest of which follows within the time that is waited.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_rest_of_an_answer_comes(bool isUnix)
    {
        await using var front = await StartAsync(isUnix);
        using var client = await ConnectAsync(front, isUnix);
        await client.SendAsync("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.ReadUntilAsync("onetwo..\r\n");
        client.EndSending();
        _goOn.SetResult();

        Assert.Equal("5\r\nthree\r\n0\r\n\r\n", await client.ReadToEndAsync());
    }

    [Theory]
    [InlineData(false, "/late", false)]
    [InlineData(true, "/late", false)]
    [InlineData(false, "/stream", false)]
    [InlineData(true, "/stream", false)]
    [InlineData(false, "/late", true)]
    [InlineData(true, "/late", true)]
    public async Task A_client_that_is_gone_is_noticed_though_nothing_is_sent(bool isUnix, string target, bool endsSendingFirst)
    {
        await using var front = await StartAsync(isUnix);
        using var client = await ConnectAsync(front, isUnix);
        await client.SendAsync($"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        if (target == "/late") await _begun.WaitAsync(TestFront.Patience);
        else await client.ReadUntilAsync("onetwo..\r\n");
        if (endsSendingFirst)
        {
            client.EndSending();
            // What is sent ahead to see whether somebody is there.
            if (!isUnix) Assert.Equal("H", await client.ReceiveAsync());
            client.Reset();
        }
        else
        {
            client.Dispose();
        }

        Assert.True(await _left.Task.WaitAsync(TestFront.Patience));
    }

    [Fact]
    public async Task Of_an_idle_connection_nothing_is_asked()
    {
        await using var front = await StartAsync(isUnix: false);
        using var client = await ConnectAsync(front, isUnix: false);
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.ReadUntilAsync("/a");
        client.EndSending();

        Assert.Equal("", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task A_request_that_is_not_whole_is_not_waited_for()
    {
        await using var front = await StartAsync(isUnix: false);
        using var client = await ConnectAsync(front, isUnix: false);
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HT");
        client.EndSending();

        Assert.EndsWith("/a", (await client.ReadToEndAsync()).Split("HTTP/1.1 400")[0], StringComparison.Ordinal);
    }

    private async Task<HttpFront> StartAsync(bool isUnix)
    {
        var front = new HttpFront(new HttpFrontOptions([HttpEndpoint.Parse(isUnix ? $"{_folder}/s" : "127.0.0.1:0")]), new FakeApplication(AnswerAsync), null, NullLoggerFactory.Instance);
        await front.StartAsync();
        return front;
    }

    private Task<RawClient> ConnectAsync(HttpFront front, bool isUnix)
        => RawClient.ConnectAsync(isUnix ? new UnixDomainSocketEndPoint($"{_folder}/s") : new IPEndPoint(IPAddress.Loopback, new Uri(front.Addresses[0]).Port));

    private async Task AnswerAsync(GatewayExchange exchange)
    {
        if (exchange.Target is not ("/late" or "/stream"))
        {
            FakeApplication.Whole(exchange, exchange.Target);
            return;
        }

        await using var registration = exchange.ClientGone.Register(() =>
        {
            _left.TrySetResult(true);
            _goOn.TrySetResult();
        });
        if (exchange.Target == "/late")
        {
            _begun.Release();
            await _goOn.Task;
            FakeApplication.Whole(exchange, exchange.Target);
            return;
        }

        exchange.Head.Status = 200;
        exchange.StartStreaming();
        exchange.Output.Write("onetwo.."u8);
        await exchange.Output.FlushAsync();
        await _goOn.Task;
        exchange.Output.Write("three"u8);
        var flushed = await exchange.Output.FlushAsync();
        exchange.Complete(flushed.IsCompleted ? ExchangeOutcome.Aborted : ExchangeOutcome.Streamed);
    }
}
