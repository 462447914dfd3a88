using Xunit;

using System.Buffers;
using System.Text;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Tests;

public sealed class RequestBodyTests
{
    [Theory]
    [InlineData("Content-Length: 11\r\n\r\nhello world", "True 11 hello world")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "True  hello world")]
    [InlineData("Content-Length: 0\r\n\r\n", "False 0 ")]
    public async Task The_body_is_read_through_the_pipe(string rest, string expected)
    {
        await using var front = await TestFront.StartAsync(async e =>
        {
            var (has, length) = (e.HasBody, e.ContentLength);
            FakeApplication.Whole(e, $"<{has} {length} {(has ? await ReadAsync(e) : "")}>");
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: x\r\n" + rest);

        Assert.EndsWith($"<{expected}>", await client.ReadUntilAsync(">"), StringComparison.Ordinal);
    }

    /// <summary>Only what a client does looks like a client's doing.</summary>
    [Fact]
    public async Task A_mistake_of_ours_is_no_client_that_left()
    {
        var seen = new TaskCompletionSource<(Exception Error, int Status)>();
        await using var front = await TestFront.StartAsync(async e =>
        {
            _ = await e.Body.ReadAsync();
            // Without an AdvanceTo in between.
            var error = await Record.ExceptionAsync(async () => await e.Body.ReadAsync());
            seen.SetResult((error!, e.FaultStatus));
            FakeApplication.Whole(e, "done");
        });
        using var client = await RawClient.ConnectAsync(front);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");

        var (found, status) = await seen.Task.WaitAsync(TestFront.Patience);

        Assert.IsType<InvalidOperationException>(found);
        Assert.False(ClientFault.Is(found));
        Assert.Equal(0, status);
    }

    [Fact]
    public async Task Expect_100_continue_is_answered_when_the_body_is_asked_for()
    {
        await using var front = await TestFront.StartAsync(async e => FakeApplication.Whole(e, await ReadAsync(e)));
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", await client.ReadUntilAsync("\r\n\r\n"));
        await client.SendAsync("ok");

        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadUntilAsync("\r\n\r\nok"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_nobody_read_does_not_disturb_the_next_request()
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, $"<{e.Target}>"));
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync($"POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{new string('x', 100_000)}GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");

        await client.ReadUntilAsync("</1>");
        await client.ReadUntilAsync("</2>");
    }

    [Theory]
    [InlineData("Content-Length: +2\r\n\r\nab")]
    [InlineData("Content-Length: -0\r\n\r\n")]
    [InlineData("Content-Length: 2, 2\r\n\r\nab")]
    [InlineData("Content-Length: 0x2\r\n\r\nab")]
    [InlineData("Content-Length: 99999999999999999999999999\r\n\r\nab")]
    [InlineData("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc")]
    public async Task An_ambiguous_length_is_refused_and_the_connection_closed(string rest)
    {
        var reached = false;
        await using var front = await TestFront.StartAsync(e =>
        {
            reached = true;
            FakeApplication.Whole(e, "");
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: x\r\n" + rest);

        Assert.StartsWith("HTTP/1.1 400 Bad Request\r\n", await client.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.False(reached);
    }

    [Fact]
    public async Task An_encoding_in_http_1_0_is_refused()
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, ""));
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    private static async Task<string> ReadAsync(GatewayExchange e)
    {
        var text = new StringBuilder();
        while (true)
        {
            var read = await e.Body.ReadAsync();
            text.Append(Encoding.Latin1.GetString(read.Buffer));
            e.Body.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return text.ToString();
        }
    }
}
