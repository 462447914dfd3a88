using Xunit;

using System.Buffers;
using System.Net.Sockets;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Uwsgi.Tests;

public sealed class ResponseTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_whole_response_comes_in_one_piece_and_then_the_end(bool unix)
    {
        await using var front = await TestFront.StartAsync(e =>
        {
            e.Head.Add("X-A", "1");
            e.Head.Add("Set-Cookie", "a=\xe9");
            e.Head.Add("Set-Cookie", "b");
            FakeApplication.Whole(e, "hello");
        });
        using var client = await front.ConnectAsync(unix);

        await client.SendAsync(Packet.Request("GET"));
        Assert.Equal("HTTP/1.1 200 OK\r\nX-A: 1\r\nSet-Cookie: a=\xe9\r\nSet-Cookie: b\r\nContent-Length: 5\r\n\r\nhello", await client.ReceiveAsync());
        Assert.Equal("", await client.ReceiveAsync());
    }

    [Theory]
    [InlineData("HTTP/1.0", "HTTP/1.0")]
    [InlineData("HTTP/1.1", "HTTP/1.1")]
    [InlineData("HTTP/2.0", "HTTP/1.1")]
    [InlineData("nonsense", "HTTP/1.1")]
    public async Task The_status_line_has_the_protocol_of_the_request(string protocol, string expected)
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, e.Protocol, 404));
        using var client = await front.ConnectAsync();
        var answer = await client.AskAsync(Packet.Request("GET", ("SERVER_PROTOCOL", protocol)));
        Assert.StartsWith(expected + " 404 Not Found\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith(protocol, answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HEAD", 200, "Content-Length: 5\r\n\r\n")]
    [InlineData("GET", 304, "Content-Length: 5\r\n\r\n")]
    [InlineData("GET", 204, "No Content\r\n\r\n")]
    [InlineData("GET", 205, "Content-Length: 0\r\n\r\n")]
    public async Task Responses_without_a_body(string method, int status, string end)
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, "hello", status));
        using var client = await front.ConnectAsync();
        Assert.EndsWith(end, await client.AskAsync(Packet.Request(method)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_head_that_would_split_the_response_is_500()
    {
        await using var front = await TestFront.StartAsync(e =>
        {
            e.Head.Add("X-A", "1\r\nX-B: 2");
            FakeApplication.Whole(e, "hello");
        });
        using var client = await front.ConnectAsync();
        var answer = await client.AskAsync(Packet.Request("GET"));
        Assert.StartsWith("HTTP/1.1 500 Internal Server Error\r\n", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("X-B", answer, StringComparison.Ordinal);
        Assert.Contains(front.Log.All, line => line.StartsWith("Error 404 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_streamed_head_that_cannot_be_sent_can_be_filled_anew()
    {
        await using var front = await TestFront.StartAsync(e =>
        {
            e.Head.Status = 100;
            Assert.Throws<InvalidOperationException>(e.StartStreaming);
            e.Head.Status = 200;
            e.Head.Reason = "a\nb";
            Assert.Throws<InvalidOperationException>(e.StartStreaming);
            e.Head.Reason = null;
            e.Head.Add("a b", "");
            Assert.Throws<InvalidOperationException>(e.StartStreaming);
            Assert.False(e.Started);
            e.FillPlain(500, "sorry");
            e.Complete(ExchangeOutcome.Whole);
        });
        using var client = await front.ConnectAsync();
        Assert.EndsWith("\r\n\r\nsorry\n", await client.AskAsync(Packet.Request("GET")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stream_sends_each_flush_and_ends_with_the_connection(bool unix)
    {
        var first = new TaskCompletionSource();
        await using var front = await TestFront.StartAsync(async e =>
        {
            e.Head.Status = 200;
            e.Head.Add("Transfer-Encoding", "chunked");
            e.StartStreaming();
            e.Output.Write("one"u8);
            await e.Output.FlushAsync();
            await first.Task;
            e.Output.Write("two"u8);
            e.Complete(ExchangeOutcome.Streamed);
        });
        using var client = await front.ConnectAsync(unix);
        await client.SendAsync(Packet.Request("GET"));
        Assert.Equal("HTTP/1.1 200 OK\r\n\r\none", await client.ReadUntilAsync("one"));
        first.SetResult();
        Assert.EndsWith("onetwo", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_does_not_read_stops_the_writer(bool unix)
    {
        const int total = 64 << 20;
        var stopped = new TaskCompletionSource<long>();
        await using var front = await TestFront.StartAsync(async e =>
        {
            e.Head.Status = 200;
            e.Head.ContentLength = total;
            e.StartStreaming();
            var piece = new byte[16 * 1024];
            for (var sent = 0; sent < total; sent += piece.Length)
            {
                e.Output.Write(piece);
                var flush = e.Output.FlushAsync();
                if (!flush.IsCompleted) stopped.TrySetResult(sent);
                await flush;
            }

            e.Complete(ExchangeOutcome.Streamed);
        });
        using var client = await front.ConnectAsync(unix, receiveBufferBytes: 8 * 1024);
        await client.SendAsync(Packet.Request("GET"));
        Assert.InRange(await stopped.Task.WaitAsync(TestFront.Patience), 0, total / 2);

        var received = 0L;
        while (await client.ReceiveAsync() is { Length: > 0 } more) received += more.Length;
        Assert.Equal(total + "HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n".Length, received);
    }

    [Fact]
    public async Task An_aborted_response_is_a_reset()
    {
        var seen = new TaskCompletionSource();
        await using var front = await TestFront.StartAsync(async e =>
        {
            e.Head.Status = 200;
            e.StartStreaming();
            e.Output.Write("part"u8);
            await e.Output.FlushAsync();
            await seen.Task;
            e.Complete(ExchangeOutcome.Aborted);
        });
        using var client = await front.ConnectAsync();
        await client.SendAsync(Packet.Request("GET"));
        await client.ReadUntilAsync("part");
        seen.SetResult();
        var error = await Assert.ThrowsAsync<SocketException>(client.ReadToEndAsync);
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
    }

    [Fact]
    public async Task Less_than_the_declared_length_is_a_reset_and_more_is_refused()
    {
        var shown = new TaskCompletionSource();
        await using var front = await TestFront.StartAsync(async e =>
        {
            e.Head.Status = 200;
            e.Head.ContentLength = 10;
            e.StartStreaming();
            Assert.Throws<InvalidOperationException>(() => e.Output.Write("elevenbytes"u8));
            e.Output.Write("part"u8);
            await e.Output.FlushAsync();
            await shown.Task;
            e.Complete(ExchangeOutcome.Streamed);
        });
        using var client = await front.ConnectAsync();
        await client.SendAsync(Packet.Request("GET"));
        await client.ReadUntilAsync("part");
        shown.SetResult();
        await Assert.ThrowsAsync<SocketException>(client.ReadToEndAsync);
        Assert.Contains(front.Log.All, line => line.Contains("6 bytes of its Content-Length are missing", StringComparison.Ordinal));
    }

    [Fact]
    public async Task HEAD_drops_what_is_streamed()
    {
        await using var front = await TestFront.StartAsync(async e =>
        {
            e.Head.Status = 200;
            e.Head.ContentLength = 100_000;
            e.StartStreaming();
            e.Output.Write(new byte[100_000]);
            await e.Output.FlushAsync();
            e.Complete(ExchangeOutcome.Streamed);
        });
        using var client = await front.ConnectAsync();
        Assert.Equal("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", await client.AskAsync(Packet.Request("HEAD")));
    }
}
