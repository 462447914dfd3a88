using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Front.Sockets;
using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class ListenerSetTests
{
    [Fact]
    public async Task A_front_that_is_disposed_leaves_the_shared_sockets_listening()
    {
        await using var shared = await SharedFronts.OpenAsync();
        foreach (var (answer, adopts) in new[] { ("a", false), ("b", true), ("c", true) })
        {
            await using var front = await shared.StartAsync(answer, adopts);
            Assert.Equal(shared.Addresses, front.Addresses);
            foreach (var endPoint in new[] { shared.Tcp, shared.Unix })
            {
                // Twice: the second time the front had to wait for the connection.
                for (var i = 0; i < 2; i++)
                {
                    using var client = await RawClient.ConnectAsync(endPoint);
                    await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
                    await client.ReadUntilAsync("\r\n\r\n" + answer);
                }
            }
        }
    }

    [Fact]
    public async Task A_client_that_comes_while_no_front_is_there_is_served_by_the_next_one()
    {
        await using var shared = await SharedFronts.OpenAsync();
        var first = await shared.StartAsync("a", adopts: true);
        await first.DrainAsync(TimeSpan.Zero, CancellationToken.None).WaitAsync(TestFront.Patience);
        await first.DisposeAsync();

        using var client = await RawClient.ConnectAsync(shared.Tcp);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await shared.StartAsync("b", adopts: true);

        await client.ReadUntilAsync("\r\n\r\nb");
    }

    [Fact]
    public async Task A_set_serves_one_front()
    {
        var options = new HttpFrontOptions([HttpEndpoint.Parse("127.0.0.1:0")]);
        using var set = await ListenerSet.OpenAsync(options);
        var application = new FakeApplication(_ => Task.CompletedTask);
        await using var first = new HttpFront(options, application, null, NullLoggerFactory.Instance, set);
        await first.StartAsync();

        await using var second = new HttpFront(options, application, null, NullLoggerFactory.Instance, set);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(second.StartAsync);

        Assert.StartsWith("these listening sockets have served a front already", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_socket_file_goes_with_the_set_that_opened_it_and_not_before()
    {
        var folder = Directory.CreateTempSubdirectory("front-");
        try
        {
            var path = Path.Combine(folder.FullName, "a.sock");
            var options = new HttpFrontOptions([HttpEndpoint.Parse(path)]);
            using (var opened = await ListenerSet.OpenAsync(options))
            {
                using (var adopted = ListenerSet.Adopt(options, SharedFronts.Duplicates(opened)))
                {
                    Assert.Equal([$"http://unix:{path}"], adopted.Addresses);
                    await using var front = new HttpFront(options, new FakeApplication(_ => Task.CompletedTask), null, NullLoggerFactory.Instance, adopted);
                    await front.StartAsync();
                }

                Assert.True(File.Exists(path));
            }

            Assert.False(File.Exists(path));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_descriptor_that_is_no_socket_is_refused_and_not_taken_over()
    {
        var file = Path.GetTempFileName();
        try
        {
            await using var stream = new FileStream(file, FileMode.Open);
            Refused((int)stream.SafeFileHandle.DangerousGetHandle());
            stream.WriteByte(1);
            await stream.FlushAsync();
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_descriptor_that_is_not_open_is_refused() => Refused(1_000_000);

    [Fact]
    public void Too_few_descriptors_are_refused()
    {
        var error = Assert.Throws<FrontException>(() => ListenerSet.Adopt(new HttpFrontOptions([HttpEndpoint.Parse("127.0.0.1:0")]), []));

        Assert.Equal("0 listening sockets were handed down for 1 addresses", error.Message);
    }

    private static void Refused(int fd)
    {
        var error = Assert.Throws<FrontException>(() => ListenerSet.Adopt(new HttpFrontOptions([HttpEndpoint.Parse("127.0.0.1:0")]), [fd]));

        Assert.Equal($"file descriptor {fd} was handed down as a listening socket, and is none", error.Message);
    }
}
