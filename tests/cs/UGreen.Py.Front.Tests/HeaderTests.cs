using Xunit;

using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Tests;

public sealed class HeaderTests
{
    [Fact]
    public async Task Latin_1_goes_both_ways()
    {
        string? seen = null;
        await using var front = await TestFront.StartAsync(e =>
        {
            seen = Value(e, "X-Name");
            e.Head.Add("X-Back", "gr\u00fc\u00dfe \u00ff");
            FakeApplication.Whole(e, "");
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\nX-Name: caf\u00e9 \u0080\u00ff\r\n\r\n");
        var head = await client.ReadUntilAsync("\r\n\r\n");

        Assert.Equal("caf\u00e9 \u0080\u00ff", seen);
        Assert.Contains("X-Back: gr\u00fc\u00dfe \u00ff\r\n", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_with_an_underscore_does_not_reach_the_application()
    {
        string? seen = null;
        await using var front = await TestFront.StartAsync(e =>
        {
            seen = $"{Value(e, "X-Forwarded-For")} {Value(e, "X_Forwarded_For")} {Value(e, "X_Forwarded-For")}";
            FakeApplication.Whole(e, "");
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: good\r\nX_Forwarded_For: evil\r\nX_Forwarded-For: evil\r\n\r\n");
        await client.ReadUntilAsync("\r\n\r\n");

        Assert.Equal("good  ", seen);
    }

    [Fact]
    public async Task Repeated_response_headers_stay_separate_lines()
    {
        await using var front = await TestFront.StartAsync(e =>
        {
            e.Head.Add("Set-Cookie", "a=1");
            e.Head.Add("Set-Cookie", "b=2");
            FakeApplication.Whole(e, "");
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        var head = await client.ReadUntilAsync("\r\n\r\n");

        Assert.Contains("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Framing_headers_of_the_application_are_ours()
    {
        await using var front = await TestFront.StartAsync(e =>
        {
            e.Head.Add("Transfer-Encoding", "chunked");
            e.Head.Add("content-length", "99");
            FakeApplication.Whole(e, "abc");
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        var all = await client.ReadToEndAsync();

        Assert.Contains("Content-Length: 3\r\n", all, StringComparison.Ordinal);
        Assert.DoesNotContain("Transfer-Encoding", all, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X-A", "1\r\nX-Forged: 1", 200, null)]
    [InlineData("X A", "1", 200, null)]
    [InlineData("X-A", "1", 101, null)]
    [InlineData("X-A", "1", 0, null)]
    [InlineData("X-A", "1", 200, "OK\r\nX-Forged: 1")]
    public async Task A_head_that_cannot_be_sent_becomes_500(string name, string value, int status, string? reason)
    {
        await using var front = await TestFront.StartAsync(e =>
        {
            e.Head.Add("X-Before", "1");
            e.Head.Add(name, value);
            FakeApplication.Whole(e, "secret", status, reason);
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        var all = await client.ReadToEndAsync();

        Assert.StartsWith("HTTP/1.1 500 Internal Server Error\r\n", all, StringComparison.Ordinal);
        Assert.DoesNotContain("Forged", all, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Before", all, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", all, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_streamed_head_that_cannot_be_sent_throws_and_may_be_replaced()
    {
        await using var front = await TestFront.StartAsync(e =>
        {
            e.Head.Status = 200;
            e.Head.Add("X-A", "1\n2");
            Assert.Throws<InvalidOperationException>(e.StartStreaming);
            Assert.False(e.Started);
            e.Head.Clear();
            FakeApplication.Whole(e, "sorry", 500);
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 500 ", await client.ReadUntilAsync("sorry"), StringComparison.Ordinal);
    }

    private static string? Value(GatewayExchange exchange, string name)
    {
        foreach (var header in exchange.Headers)
        {
            if (header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) return header.Value;
        }

        return null;
    }
}
