using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using UGreen.Py.Front.Sockets;
using UGreen.Py.Front.Transport;
using UGreen.Py.Front.Uwsgi;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front;

/// <summary>
/// Speaks HTTP/1.1 and HTTP/2 to clients with Kestrel and hands each request to the application side. There is no middleware pipeline, no host and no dependency
/// injection between the two: Kestrel calls <see cref="HttpApplication"/> directly.
/// </summary>
public sealed class HttpFront : IAsyncDisposable
{
    private readonly HttpFrontOptions _options;
    private readonly ListenerSet? _shared;
    private readonly ILoggerFactory _loggers;
    private readonly HttpApplication _application;
    private readonly UwsgiConnectionHandler _uwsgi;
    private readonly PauseWatch? _pauses;
    private readonly BlockPool _blocks = new(TimeProvider.System);
    private readonly Lock _lifeLock = new();
    private readonly ConnectionBudget _connections;
    private readonly DrainState _drain = new();
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _giveUpStart = new();
    private Task _start = Task.CompletedTask;
    private KestrelServer? _server;
    private CountedTransport? _transport;
    private FrontTransport? _sockets;
    private ListeningSockets? _opened;
    private DirectTransport? _direct;
    private bool _isDisposed;

    /// <param name="options">Where to listen.</param>
    /// <param name="application">The application side.</param>
    /// <param name="accessLog">Null: requests are not logged.</param>
    /// <param name="loggers">For the front's own lines and for Kestrel's.</param>
    /// <param name="shared">Sockets to serve on, which stay the caller's; null: the front opens its own.</param>
    public HttpFront(HttpFrontOptions options, IGatewayApplication application, IAccessLog? accessLog, ILoggerFactory loggers, ListenerSet? shared = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(application);
        ArgumentNullException.ThrowIfNull(loggers);
        if (options.Endpoints.Count + options.UwsgiEndpoints.Count == 0) throw new ArgumentException("at least one endpoint is needed", nameof(options));

        _options = options;
        _shared = shared;
        _loggers = loggers;
        _logger = loggers.CreateLogger(FrontLog.Category);
        _connections = new ConnectionBudget(options.Limits.Connections ?? int.MaxValue, _logger, TimeProvider.System);
        _pauses = options.Limits.Pause is { } pause ? new PauseWatch(pause, TimeProvider.System) : null;
        var uwsgi = options.Uwsgi with { HeadTimeout = options.Limits.Head, Pause = options.Limits.Pause, BodyBytes = options.Limits.BodyBytes };
        if (accessLog is not null) uwsgi = uwsgi with { RequestLog = (e, status, ticks) => accessLog.Log(e, status, ticks, e.WasAborted) };
        _uwsgi = new UwsgiConnectionHandler(application, uwsgi, loggers, TimeProvider.System);
        _application = new HttpApplication(application, accessLog, options.Limits, _pauses, _logger, options.Forwarded, _drain);
    }

    /// <summary>Where the front really listens, as <c>http://127.0.0.1:8080</c> or <c>https://unix:/run/app.sock</c>; empty before the start.</summary>
    public IReadOnlyList<string> Addresses { get; private set; } = [];

    /// <summary>Descriptors of the listening sockets, in the same order; they stay the front's, or whose they are. Empty before the start.</summary>
    public IReadOnlyList<int> Descriptors { get; private set; } = [];

    /// <summary>Binds all endpoints and begins to take requests.</summary>
    /// <exception cref="FrontException">An address cannot be bound, or a certificate cannot be used; nothing listens then.</exception>
    public Task StartAsync()
    {
        // On the pool, so that the task is known before anything of the start has run: whoever disposes meanwhile waits for it. Kestrel does not survive being started and
        // disposed at the same time.
        lock (_lifeLock) return _isDisposed ? Task.FromCanceled(new CancellationToken(canceled: true)) : _start = Task.Run(() => StartAsync(_giveUpStart.Token));
    }

    /// <summary>Stops listening, lets running requests finish until <paramref name="giveUp"/> is cancelled, then cuts those that are left.</summary>
    public async Task StopAsync(CancellationToken giveUp)
    {
        if (_server is not { } server) return;
        _opened?.Forget();
        await server.StopAsync(giveUp).ConfigureAwait(false);
        await _direct!.StopAsync(giveUp).ConfigureAwait(false);
        // Kestrel may have come here from the end of its last connection, on an I/O thread; what our caller does now may block.
        await Task.Yield();
    }

    /// <summary>
    /// Stops without losing a request, while other processes go on accepting on the same sockets:
    /// <list type="number">
    /// <item>accepts nothing more; what was accepted is served;</item>
    /// <item>each response now ends its connection (<c>Connection: close</c>, GOAWAY), and the client opens its next one with somebody else;</item>
    /// <item>connections without a request may stay for <paramref name="linger"/>, for a request can be on its way;</item>
    /// <item>then, or as soon as no connection is left, as <see cref="StopAsync"/>.</item>
    /// </list>
    /// </summary>
    /// <param name="linger">Zero where nobody else accepts: connections that are idle are closed at once.</param>
    /// <param name="giveUp">Cuts the requests that are left.</param>
    public async Task DrainAsync(TimeSpan linger, CancellationToken giveUp)
    {
        await _start.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_server is null || _transport is null) return;

        // :: Step 1
        _opened?.Forget();
        var stopped = _transport.StopAcceptingAsync();
        // :: Step 2. Only now: a client that is sent away must not come back here.
        _drain.Begin();
        FrontLog.Draining(_logger, _connections.Open, linger.TotalSeconds);
        try
        {
            // :: Step 3
            await stopped.WaitAsync(giveUp).ConfigureAwait(false);
            if (linger > TimeSpan.Zero) await _connections.WhenEmptyAsync().WaitAsync(linger, giveUp).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // Long enough: who is still silent is not waited for.
        }

        // :: Step 4
        await StopAsync(giveUp).ConfigureAwait(false);
    }

    /// <summary>Stops at once, also in the middle of a start: a socket file must not stay because the application could not be loaded.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lifeLock)
        {
            if (_isDisposed) return;
            _isDisposed = true;
        }

        await _giveUpStart.CancelAsync().ConfigureAwait(false);
        await _start.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _giveUpStart.Dispose();
        await StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        _server?.Dispose();
        _direct?.Dispose();
        _sockets?.Dispose();
        _uwsgi.Dispose();
        _pauses?.Dispose();
        _blocks.Stop();
    }

    private async Task StartAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var sockets = _opened = new ListeningSockets(_options.Backlog, _options.SocketMode);
        try
        {
            var settings = KestrelSetup.ServerOptions();
            KestrelLimits.Apply(_options.Limits, settings.Limits);
            var addresses = new List<string>();
            var withTls = new HashSet<EndPoint>(ReferenceEqualityComparer.Instance);
            _sockets = KestrelSetup.Transport(KestrelSetup.TransportOptions(_shared is null ? sockets.Take : _shared.Take, _options.Backlog), _options.Limits, withTls, _blocks, _loggers);
            _transport = new CountedTransport(_sockets, _connections, _options.Share);
            _direct = new DirectTransport(_transport, key => !withTls.Contains(key), TimeProvider.System, _logger);
            foreach (var endpoint in _options.Endpoints)
            {
                // Before the socket: nobody shall connect to a server that cannot answer.
                var tls = endpoint.Tls?.Load();
                var key = _shared?.Keys[addresses.Count] ?? await sockets.OpenAsync(endpoint.Address, cancellation).ConfigureAwait(false);
                if (tls is var (certificate, chain))
                {
                    withTls.Add(key);
                    KestrelSetup.ListenHttps(settings, key, _options.Limits, certificate, chain, _loggers);
                }
                else
                {
                    KestrelSetup.ListenHttp(settings, key, _options.Limits, _direct);
                }

                addresses.Add(Text(endpoint.Scheme, key));
            }

            foreach (var endpoint in _options.UwsgiEndpoints)
            {
                var key = _shared?.Keys[addresses.Count] ?? await sockets.OpenAsync(endpoint.Address, cancellation).ConfigureAwait(false);
                UwsgiEndpoint.Listen(settings, key, _uwsgi, _direct);
                addresses.Add(Text("uwsgi", key));
            }

            _server = new KestrelServer(Options.Create(settings), _direct, new KestrelLoggers(_loggers, TimeProvider.System));
            await _server.StartAsync(_application, cancellation).ConfigureAwait(false);
            await _direct.WhenServingAsync(cancellation).ConfigureAwait(false);
            Addresses = addresses;
            Descriptors = _shared?.Descriptors ?? sockets.Descriptors;
        }
        catch
        {
            _server?.Dispose();
            _server = null;
            _direct?.Dispose();
            _sockets?.Dispose();
            sockets.Dispose();
            throw;
        }
    }

    internal static string Text(string scheme, EndPoint address) => address is IPEndPoint ? $"{scheme}://{address}" : $"{scheme}://unix:{address}";
}
