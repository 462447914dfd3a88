using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Gateway;
using Xunit;

namespace UGreen.Py.Front.Uwsgi.Tests;

/// <summary>A connection is one request here, so only those matter on which it has not arrived yet.</summary>
public sealed class DrainTests
{
    [Fact]
    public async Task A_request_that_arrives_while_the_front_lingers_is_served()
    {
        await using var front = await StartAsync();
        using var silent = await ConnectAsync(front);
        using var begun = await ConnectAsync(front);
        var packet = Packet.Of(("REQUEST_METHOD", "GET"));
        await begun.SendAsync(packet.AsMemory(0, 3));
        // Connections are accepted in their order, so those before are in when a later one has its answer.
        using (var later = await ConnectAsync(front)) Assert.EndsWith("served\n", await later.AskAsync(packet), StringComparison.Ordinal);

        var drain = front.DrainAsync(TimeSpan.FromMinutes(5), CancellationToken.None);

        Assert.EndsWith("served\n", await begun.AskAsync(packet[3..]), StringComparison.Ordinal);
        Assert.False(drain.IsCompleted);
        Assert.EndsWith("served\n", await silent.AskAsync(packet), StringComparison.Ordinal);
        await drain.WaitAsync(TestFront.Patience);
    }

    [Fact]
    public async Task After_the_linger_a_silent_connection_ends_cleanly()
    {
        await using var front = await StartAsync();
        using var silent = await ConnectAsync(front);
        using (var later = await ConnectAsync(front)) await later.AskAsync(Packet.Of(("REQUEST_METHOD", "GET")));

        await front.DrainAsync(TimeSpan.FromMilliseconds(100), CancellationToken.None).WaitAsync(TestFront.Patience);

        Assert.Equal("", await silent.ReadToEndAsync());
    }

    private static async Task<HttpFront> StartAsync()
    {
        var application = new FakeApplication(e =>
        {
            e.FillPlain(200, "served");
            e.Complete(ExchangeOutcome.Whole);
            return Task.CompletedTask;
        });
        var front = new HttpFront(new HttpFrontOptions([]) { UwsgiEndpoints = [UwsgiEndpoint.Parse("127.0.0.1:0")] }, application, null, NullLoggerFactory.Instance);
        await front.StartAsync();
        return front;
    }

    private static async Task<Client> ConnectAsync(HttpFront front)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, new Uri(front.Addresses[0]).Port));
        return new Client(socket);
    }
}
