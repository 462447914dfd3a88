using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Front.Sockets;
using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class ListenerSetTests
{
    [Fact]
    public async Task A_front_that_is_disposed_leaves_the_shared_socket_listening()
    {
        var options = new HttpFrontOptions([HttpEndpoint.Parse("127.0.0.1:0")]);
        using var set = await ListenerSet.OpenAsync(options);

        foreach (var answer in new[] { "first", "second" })
        {
            await using var front = new HttpFront(options, new FakeApplication(e =>
            {
                FakeApplication.Whole(e, answer);
                return Task.CompletedTask;
            }), null, NullLoggerFactory.Instance, set);
            await front.StartAsync();
            Assert.Equal(set.Addresses, front.Addresses);
            using var client = await RawClient.ConnectAsync(front);
            await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            await client.ReadUntilAsync(answer);
        }
    }

    [Fact]
    public void Too_few_descriptors_are_refused()
    {
        var error = Assert.Throws<FrontException>(() => ListenerSet.Adopt(new HttpFrontOptions([HttpEndpoint.Parse("127.0.0.1:0")]), []));

        Assert.Equal("0 listening sockets were handed down for 1 addresses", error.Message);
    }
}
