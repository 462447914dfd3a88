using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using UGreen.Py.Gateway;
using Xunit;

namespace UGreen.Py.Front.Tests.Transport;

/// <summary>What clients see of the transport, through the whole front.</summary>
public sealed class PolledConnectionTests
{
    private const int Many = 8 << 20;

    /// <summary>The answer comes before the body was sent, and ends the connection: closing with unread bytes would reset it and take the answer away.</summary>
    [Fact]
    public async Task A_client_that_is_still_sending_gets_the_answer_that_ends_its_connection()
    {
        await using var front = await TestFront.StartAsync(e => Fill(e, closes: true));
        for (var i = 0; i < 20; i++)
        {
            using var client = await RawClient.ConnectAsync(front);
            await client.SendAsync($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {Many}\r\n\r\n");
            var sending = SendAsync(client);
            var answer = await client.ReadUntilAsync("0123456789");
            Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
            await sending;
        }
    }

    [Fact]
    public async Task What_a_slow_client_takes_in_small_pieces_is_complete()
    {
        var body = string.Create(Many, 0, static (chars, _) =>
        {
            for (var i = 0; i < chars.Length; i++) chars[i] = (char)('a' + (i % 26));
        });
        await using var front = await TestFront.StartAsync(e => Fill(e, body));
        using var client = await RawClient.ConnectAsync(front, receiveBufferBytes: 4096);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.ReadUntilAsync("\r\n\r\n");

        Assert.Equal(body, await client.ReadCountAsync(body.Length));
    }

    [Fact]
    public async Task Requests_that_come_together_are_answered_in_order()
    {
        await using var front = await TestFront.StartAsync(e => Fill(e, e.Target));
        using var client = await RawClient.ConnectAsync(front);
        const int Requests = 2000;
        // More than one read of the transport, with requests cut anywhere.
        await client.SendAsync(string.Concat(Enumerable.Range(0, Requests).Select(i => $"GET /{i} HTTP/1.1\r\nHost: a\r\nX-Filler: {new string('x', i % 97)}\r\n\r\n")));
        for (var i = 0; i < Requests; i++)
        {
            await client.ReadUntilAsync("\r\n\r\n");
            Assert.Equal($"/{i}", await client.ReadCountAsync($"/{i}".Length));
        }
    }

    [Fact]
    public async Task An_exchange_that_is_broken_off_resets_the_connection()
    {
        await using var front = await TestFront.StartAsync(new FakeApplication(async e =>
        {
            e.Head.Status = 200;
            e.StartStreaming();
            await e.Output.WriteAsync(Encoding.ASCII.GetBytes("part"));
            e.Complete(ExchangeOutcome.Aborted);
        }));
        using var client = await RawClient.ConnectAsync(front);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

        await Assert.ThrowsAnyAsync<SocketException>(client.ReadToEndAsync);
    }

    [Fact]
    public async Task A_thousand_connections_at_once_are_all_served()
    {
        await using var front = await TestFront.StartAsync(e => Fill(e));
        var clients = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => RawClient.ConnectAsync(front)));
        foreach (var client in clients) await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        foreach (var client in clients)
        {
            Assert.EndsWith("0123456789", await client.ReadToEndAsync(), StringComparison.Ordinal);
            client.Dispose();
        }
    }

    [Fact]
    public void Features_that_are_set_come_before_the_connections_own()
    {
        var own = new Own();
        var features = new Front.Transport.ConnectionFeatures(own);
        Assert.Same(own, features.Get<IConnectionIdFeature>());
        Assert.Null(features.Get<IConnectionItemsFeature>());

        var other = new Own();
        features.Set<IConnectionIdFeature>(other);
        Assert.Same(other, features.Get<IConnectionIdFeature>());
        Assert.Same(other, features[typeof(IConnectionIdFeature)]);

        features.Set<IConnectionIdFeature>(null);
        Assert.Null(features.Get<IConnectionIdFeature>());
        for (var i = 0; i < 20; i++) features[i % 2 == 0 ? typeof(int) : typeof(string)] = "x";
        Assert.Equal(2, features.Count());
    }

    private sealed class Own : IConnectionIdFeature
    {
        public string ConnectionId { get; set; } = "";
    }

    private static async Task SendAsync(RawClient client)
    {
        var block = new string('b', 1 << 16);
        try
        {
            for (var sent = 0; sent < Many; sent += block.Length) await client.SendAsync(block);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // The connection ends some time after the answer.
        }
    }

    private static void Fill(GatewayExchange exchange, string body = "0123456789", bool closes = false)
    {
        exchange.Head.Status = 200;
        exchange.ClosesConnection = closes;
        Encoding.Latin1.GetBytes(body, exchange.SetWholeBody(body.Length));
        exchange.Complete(ExchangeOutcome.Whole);
    }
}
