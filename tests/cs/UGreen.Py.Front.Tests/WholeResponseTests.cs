using Xunit;

using System.Text;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Tests;

public sealed class WholeResponseTests
{
    [Fact]
    public async Task Head_and_body_come_in_one_piece()
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, "hello"));
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        var first = await client.ReceiveAsync();

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", first, StringComparison.Ordinal);
        Assert.Contains("Content-Length: 5\r\n", first, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nhello", first, StringComparison.Ordinal);
        Assert.DoesNotContain("Server:", first, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_request_arrives_as_it_was_sent()
    {
        string? seen = null;
        await using var front = await TestFront.StartAsync(e =>
        {
            var headers = new StringBuilder();
            foreach (var h in e.Headers) headers.Append(h.Name).Append('=').Append(h.Value).Append(';');
            seen = $"{e.Method} {e.Target} {e.Protocol} {e.Scheme} {e.RemoteAddress} {e.RemotePort > 0} {e.LocalAddress} {e.LocalPort} {e.HasBody} {e.ContentLength} {headers}";
            FakeApplication.Whole(e, "");
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("PURGE /a%20b%2F?q=%C3%A9 HTTP/1.1\r\nHost: x:1\r\nX-A: 1\r\nX-A: 2\r\n\r\n");
        await client.ReadUntilAsync("\r\n\r\n");

        var port = new Uri(front.Addresses[0]).Port;
        Assert.Equal($"PURGE /a%20b%2F?q=%C3%A9 HTTP/1.1 http 127.0.0.1 True 127.0.0.1 {port} False  Host=x:1;X-A=1;X-A=2;", seen);
    }

    [Fact]
    public async Task Keep_alive_reuses_the_exchange_and_nothing_of_the_last_request_is_left()
    {
        var seen = new List<(GatewayExchange Exchange, string Text)>();
        await using var front = await TestFront.StartAsync(e =>
        {
            seen.Add((e, $"{e.Headers.Length} {e.Head.Count} {e.Head.Status} {e.Head.ContentLength} {e.WholeBody.Length} {e.Started} {e.Core} {e.Switches} {e.BytesOut} {e.HasBody} {e.ContentLength}"));
            if (seen.Count == 1)
            {
                e.Core = 5;
                e.Switches = 7;
                e.Head.Add("X-First", "1");
                e.Head.Add("Set-Cookie", "a=b");
                FakeApplication.Whole(e, "first", 404, "Nope");
            }
            else
            {
                FakeApplication.Whole(e, "second");
            }
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("POST /1 HTTP/1.1\r\nHost: x\r\nX-Secret: s\r\nContent-Length: 2\r\n\r\nab");
        var first = await client.ReadUntilAsync("first");
        await client.SendAsync("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
        var second = await client.ReadUntilAsync("second");

        Assert.StartsWith("HTTP/1.1 404 Nope\r\n", first, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", second, StringComparison.Ordinal);
        Assert.DoesNotContain("X-First", second, StringComparison.Ordinal);
        Assert.DoesNotContain("Set-Cookie", second, StringComparison.Ordinal);
        Assert.Same(seen[0].Exchange, seen[1].Exchange);
        Assert.Equal("1 0 0  0 False -1 0 0 False ", seen[1].Text);
    }

    [Fact]
    public async Task Pipelined_requests_are_answered_in_order()
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, $"<{e.Target}>"));
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        var all = await client.ReadToEndAsync();

        Assert.True(all.IndexOf("</1>", StringComparison.Ordinal) < all.IndexOf("</2>", StringComparison.Ordinal));
        Assert.True(all.IndexOf("</2>", StringComparison.Ordinal) < all.IndexOf("</3>", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_answer_inside_Submit_works()
    {
        var refuse = new FakeApplication(e =>
        {
            e.Head.Add("Retry-After", "1");
            FakeApplication.Whole(e, "busy", 503);
            return Task.CompletedTask;
        }, inline: true);
        await using var front = await TestFront.StartAsync(refuse);
        using var client = await RawClient.ConnectAsync(front);

        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 503 Service Unavailable\r\n", await client.ReadUntilAsync("busy"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Http_1_0_is_answered_and_closed()
    {
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, e.Protocol));
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET / HTTP/1.0\r\n\r\n");

        Assert.EndsWith("\r\n\r\nHTTP/1.0", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_large_body_arrives_whole()
    {
        var body = new string('z', 3_000_000);
        await using var front = await TestFront.StartAsync(e => FakeApplication.Whole(e, body));
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        Assert.EndsWith("\r\n\r\n" + body, await client.ReadToEndAsync(), StringComparison.Ordinal);
    }
}
