using System.Collections.Concurrent;
using System.Net;
using Xunit;

namespace UGreen.Py.Front.Tests;

/// <summary>HTTP/2 has no Connection: close. A front that leaves says GOAWAY, and the client begins its next stream on a new connection.</summary>
public sealed class DrainHttp2Tests
{
    private int _broken;

    /// <summary>
    /// GOAWAY comes before the end of the connection, but Kestrel closes it right behind its last stream: a client with several streams that begins one more in this very moment
    /// finds a broken pipe (docs/adr/0028). So a connection may end badly once; what must not be is a stream that fails at any other time.
    /// </summary>
    [Fact]
    public async Task Under_load_streams_move_to_the_other_front_when_one_of_two_leaves()
    {
        await using var shared = await SharedFronts.OpenAsync();
        // Alone at first, so that every connection is its own.
        var leaving = await shared.StartAsync("a", adopts: false);
        using var end = new CancellationTokenSource();
        var answers = new ConcurrentDictionary<string, int>();
        var handlers = Enumerable.Range(0, 5).Select(_ => new SocketsHttpHandler()).ToList();
        var clients = handlers.SelectMany(handler => Enumerable.Range(0, 4).Select(i => Task.Run(() => RunAsync(handler, i, shared.Tcp, answers, end.Token)))).ToArray();
        try
        {
            await CountAsync("a", 1000);
            await shared.StartAsync("b", adopts: true);
            await leaving.DrainAsync(TimeSpan.FromMinutes(5), CancellationToken.None).WaitAsync(TestFront.Patience);
            var before = answers["a"];
            await CountAsync("b", 2000);
            // A client may have had its last answer before this test looked, and counted it after.
            Assert.InRange(answers["a"] - before, 0, clients.Length);
            // Each stands on one connection of the front that left, of which there is one for each handler.
            Assert.InRange(Volatile.Read(ref _broken), 0, clients.Length);
            var atTheEnd = Volatile.Read(ref _broken);
            await CountAsync("b", answers["b"] + 1000);
            Assert.Equal(atTheEnd, Volatile.Read(ref _broken));
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll(clients).WaitAsync(TestFront.Patience);
            handlers.ForEach(handler => handler.Dispose());
        }

        async Task CountAsync(string name, int count)
        {
            var deadline = DateTime.UtcNow + 3 * TestFront.Patience;
            while (answers.GetValueOrDefault(name) < count)
            {
                Assert.DoesNotContain(clients, client => client.IsFaulted);
                Assert.True(DateTime.UtcNow < deadline, $"{answers.GetValueOrDefault(name)} of {count} answers of {name}");
                await Task.Delay(1);
            }
        }
    }

    /// <summary>The end of the linger, and a server that stops without one: GOAWAY comes while a stream is under way.</summary>
    [Fact]
    public async Task A_stream_under_way_ends_well_and_later_ones_go_to_another_front()
    {
        await using var shared = await SharedFronts.OpenAsync();
        var leaving = await shared.StartAsync("a", adopts: false);
        using var handler = new SocketsHttpHandler();
        using var client = new HttpClient(handler) { Timeout = TestFront.Patience };
        var slow = SendAsync(client, shared.Tcp, "slow");
        await shared.Running.Task.WaitAsync(TestFront.Patience);

        await shared.StartAsync("b", adopts: true);
        var drain = leaving.DrainAsync(TimeSpan.Zero, CancellationToken.None);
        // The first ones may still reach the old connection, which takes them as long as it is open.
        var deadline = DateTime.UtcNow + TestFront.Patience;
        while (await SendAsync(client, shared.Tcp, "whole") != "b") Assert.True(DateTime.UtcNow < deadline, "the connection is not left");
        Assert.False(slow.IsCompleted || drain.IsCompleted);

        shared.GoOn.SetResult();
        Assert.Equal("a", await slow);
        await drain.WaitAsync(TestFront.Patience);
    }

    private async Task RunAsync(SocketsHttpHandler handler, int number, EndPoint endPoint, ConcurrentDictionary<string, int> answers, CancellationToken end)
    {
        using var client = new HttpClient(handler, disposeHandler: false) { Timeout = TestFront.Patience };
        while (!end.IsCancellationRequested)
        {
            // A body cannot be sent a second time behind the client's back: these fail if the connection ends under them.
            try
            {
                var name = await SendAsync(client, endPoint, number == 3 ? "stream" : "whole", number == 2 ? "a body" : null);
                answers.AddOrUpdate(name, 1, (_, count) => count + 1);
            }
            catch (HttpRequestException e) when (e.InnerException is IOException)
            {
                Interlocked.Increment(ref _broken);
            }
        }
    }

    private static async Task<string> SendAsync(HttpClient client, EndPoint endPoint, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, $"http://{endPoint}/{path}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body is null ? null : new StringContent(body),
        };
        using var response = await client.SendAsync(request);
        Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20), (response.StatusCode, response.Version));
        return await response.Content.ReadAsStringAsync();
    }
}
