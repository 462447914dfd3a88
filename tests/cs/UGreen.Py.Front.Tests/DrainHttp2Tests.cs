using System.Collections.Concurrent;
using System.Net;
using Xunit;

namespace UGreen.Py.Front.Tests;

/// <summary>HTTP/2 has no Connection: close. A front that leaves says GOAWAY, and the client begins its next stream on a new connection.</summary>
public sealed class DrainHttp2Tests
{
    [Fact]
    public async Task Under_load_no_stream_fails_when_one_of_two_fronts_leaves()
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

    private static async Task RunAsync(SocketsHttpHandler handler, int number, EndPoint endPoint, ConcurrentDictionary<string, int> answers, CancellationToken end)
    {
        using var client = new HttpClient(handler, disposeHandler: false) { Timeout = TestFront.Patience };
        while (!end.IsCancellationRequested)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{endPoint}/{(number == 3 ? "stream" : "whole")}")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            // A body cannot be sent a second time behind the client's back: these fail if the connection ends under them.
            if (number == 2)
            {
                request.Method = HttpMethod.Post;
                request.Content = new StringContent("a body");
            }

            using var response = await client.SendAsync(request, CancellationToken.None);
            Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20), (response.StatusCode, response.Version));
            var name = await response.Content.ReadAsStringAsync(CancellationToken.None);
            answers.AddOrUpdate(name, 1, (_, count) => count + 1);
        }
    }
}
