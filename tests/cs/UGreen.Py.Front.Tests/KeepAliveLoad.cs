using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace UGreen.Py.Front.Tests;

/// <summary>
/// Clients that send one request after the other until they are told to end. They never try again: whatever goes wrong is a failed request. A client closes its
/// connection when the server says so, or after some requests of its own choice.
/// </summary>
internal sealed class KeepAliveLoad : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<string, int> _answers = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly Task[] _clients;
    private int _closes;

    /// <param name="endPoints">The clients take turns.</param>
    /// <param name="clients">How many.</param>
    /// <param name="requestsPerConnection">After which a client opens a new one by itself.</param>
    public KeepAliveLoad(EndPoint[] endPoints, int clients, int requestsPerConnection)
        => _clients = [.. Enumerable.Range(0, clients).Select(i => Task.Run(() => RunAsync(i, endPoints[i % endPoints.Length], requestsPerConnection)))];

    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Connections that the server announced to close.</summary>
    public int Closes => _closes;

    public int Total => _answers.Values.Sum();

    public int AnswersOf(string name) => _answers.GetValueOrDefault(name);

    /// <summary>Done when so many more requests were answered, by <paramref name="name"/> or by anybody.</summary>
    public async Task MoreAsync(int count, string? name = null)
    {
        var until = Count() + count;
        var deadline = DateTime.UtcNow + 3 * TestFront.Patience;
        while (Count() < until)
        {
            Assert.Empty(_failures);
            Assert.True(DateTime.UtcNow < deadline, $"{Count()} of {until} answers");
            await Task.Delay(1);
        }

        int Count() => name is null ? Total : AnswersOf(name);
    }

    /// <summary>Lets each client finish its request.</summary>
    public async Task EndAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_clients).WaitAsync(TestFront.Patience);
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _end.Dispose();
    }

    private async Task RunAsync(int number, EndPoint endPoint, int requestsPerConnection)
    {
        var kind = number % 4 == 3 ? "/stream" : "/whole";
        while (!_end.IsCancellationRequested)
        {
            var step = "connect";
            try
            {
                using var client = await RawClient.ConnectAsync(endPoint);
                var isOpen = true;
                for (var i = 0; i < requestsPerConnection && isOpen && !_end.IsCancellationRequested; i++)
                {
                    step = $"request {i}";
                    isOpen = await RequestAsync(client, kind);
                }
            }
            catch (Exception e)
            {
                _failures.Enqueue($"client {number} ({endPoint.AddressFamily}), {step}: {e.Message}");
            }
        }
    }

    /// <returns>False: the server has closed, as it had announced.</returns>
    private async Task<bool> RequestAsync(RawClient client, string target)
    {
        await client.SendAsync($"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        var head = await client.ReadUntilAsync("\r\n\r\n");
        if (!head.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal)) throw new InvalidDataException(head);
        // Each name has one letter.
        var name = await client.ReadCountAsync(1);
        _answers.AddOrUpdate(name, 1, (_, count) => count + 1);
        if (!head.Contains("\r\nConnection: close\r\n", StringComparison.Ordinal)) return true;
        Interlocked.Increment(ref _closes);
        var rest = await client.ReadToEndAsync();
        return rest.Length == 0 ? false : throw new InvalidDataException($"after the last response: {rest}");
    }
}
