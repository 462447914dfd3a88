using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace UGreen.Py.Front.Transport;

/// <summary>
/// The transport below Kestrel: connections are polled and served by a few threads of the front (docs/adr/0032). TLS stays with Kestrel's own transport and the thread pool,
/// because a handshake computes for a millisecond, and that time is not the other connections'.
/// </summary>
internal sealed class PolledTransport : IConnectionListenerFactory, IDisposable
{
    // One thread reads and writes for some 80,000 small requests per second, more than one interpreter answers; others help with large bodies, which are all copying.
    private const int MostThreads = 3;

    private readonly SocketTransportOptions _options;
    private readonly PolledThread[] _threads;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <param name="options">Where listening sockets come from.</param>
    /// <param name="blocks">The memory of the pipes.</param>
    /// <param name="time">For pauses.</param>
    /// <param name="loggers">For what goes wrong.</param>
    public PolledTransport(SocketTransportOptions options, BlockPool blocks, TimeProvider time, ILoggerFactory loggers)
    {
        (_options, _time) = (options, time);
        _logger = loggers.CreateLogger(FrontLog.Category);
        _threads = new PolledThread[Math.Clamp(Environment.ProcessorCount - 1, 1, MostThreads)];
        for (var i = 0; i < _threads.Length; i++)
        {
            var io = new IoThread(i, _logger);
            _threads[i] = new PolledThread(io, new PolledPipes(io, blocks, time));
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = _options.CreateBoundListenSocket(endpoint);
        socket.Listen(_options.Backlog);
        var listener = new PolledListener(socket, _threads, _time, _logger);
        await listener.StartAsync().ConfigureAwait(false);
        return listener;
    }

    /// <summary>Ends the threads. After Kestrel has ended.</summary>
    public void Dispose()
    {
        foreach (var thread in _threads) thread.Io.Dispose();
    }
}
