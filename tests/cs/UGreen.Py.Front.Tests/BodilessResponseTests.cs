using Xunit;

using System.Buffers;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Tests;

/// <summary>HEAD, 204 and 304: the application may give a body, the client must not get one, and the next response must be in its place.</summary>
public sealed class BodilessResponseTests
{
    [Theory]
    [InlineData("HEAD", 200, false, "Content-Length: 5\r\n")]
    [InlineData("GET", 204, false, null)]
    [InlineData("GET", 205, false, null)]
    [InlineData("GET", 304, false, "Content-Length: 5\r\n")]
    [InlineData("HEAD", 200, true, "Content-Length: 5\r\n")]
    [InlineData("GET", 204, true, null)]
    [InlineData("GET", 304, true, "Content-Length: 5\r\n")]
    public async Task Body_is_dropped(string method, int status, bool streamed, string? length)
    {
        await using var front = await TestFront.StartAsync(e => e.Target == "/next" ? Next(e) : AnswerAsync(e, status, streamed));
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync($"{method} / HTTP/1.1\r\nHost: x\r\n\r\n");
        var head = await client.ReadUntilAsync("\r\n\r\n");
        await client.SendAsync("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
        var next = await client.ReadUntilAsync("next");

        Assert.StartsWith($"HTTP/1.1 {status} ", head, StringComparison.Ordinal);
        if (length is not null) Assert.Contains(length, head, StringComparison.Ordinal);
        else Assert.DoesNotContain("Content-Length: 5", head, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 OK", next, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Head_keeps_the_length_the_application_gave_without_a_body()
    {
        await using var front = await TestFront.StartAsync(e =>
        {
            e.Head.Status = 200;
            e.Head.ContentLength = 1234;
            e.Complete(ExchangeOutcome.Whole);
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");

        Assert.Contains("Content-Length: 1234\r\n", await client.ReadUntilAsync("\r\n\r\n"), StringComparison.Ordinal);
    }

    private static Task Next(GatewayExchange e)
    {
        FakeApplication.Whole(e, "next");
        return Task.CompletedTask;
    }

    private static async Task AnswerAsync(GatewayExchange e, int status, bool streamed)
    {
        e.Head.Status = status;
        e.Head.ContentLength = 5;
        if (streamed)
        {
            e.StartStreaming();
            e.Output.Write("hello"u8);
            await e.Output.FlushAsync();
            e.Output.Write("more than that"u8);
            await e.Output.FlushAsync();
            e.Complete(ExchangeOutcome.Streamed);
        }
        else
        {
            FakeApplication.WholeBody(e, "hello");
            e.Complete(ExchangeOutcome.Whole);
        }
    }
}
