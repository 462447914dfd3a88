using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace UGreen.Py.Front.Transport;

/// <summary>
/// Runs Kestrel's connection code for each connection of a polled socket directly, on the I/O thread that accepted it.
/// <para>
/// Kestrel itself puts every new connection into the thread pool's queue: another thread is woken for what a thread that is awake could do, which is a fifth of the cost of a
/// connection for each request. So Kestrel gets one connection per socket from here, the <i>template</i>, which ends at once. It serves to learn the delegate that Kestrel has
/// built for the socket, and those features of a connection that only Kestrel can make. What Kestrel does around that delegate is done here: the tick that drives its
/// time-outs, the request to close when the server stops, the end of the transport (docs/adr/0032).
/// </para>
/// </summary>
internal sealed class DirectTransport : IConnectionListenerFactory, IDisposable
{
    // As Kestrel's own: its time-outs are made for it.
    private static readonly TimeSpan s_tick = TimeSpan.FromSeconds(1);

    private readonly IConnectionListenerFactory _transport;
    private readonly Func<EndPoint, bool> _isPolled;
    private readonly ILogger _logger;
    private readonly FaultLog _faults;
    private readonly ITimer _clock;
    private readonly ConcurrentDictionary<PolledConnection, PolledConnection> _open = new();
    private readonly List<Listener> _listeners = [];
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isTicking;
    private volatile bool _isStopping;

    /// <param name="transport">Accepts.</param>
    /// <param name="isPolled">True for sockets whose connections are <see cref="PolledConnection"/>s; all others stay Kestrel's.</param>
    /// <param name="time">For the ticks.</param>
    /// <param name="logger">For connections that fail.</param>
    public DirectTransport(IConnectionListenerFactory transport, Func<EndPoint, bool> isPolled, TimeProvider time, ILogger logger)
    {
        (_transport, _isPolled, _logger) = (transport, isPolled, logger);
        _faults = new FaultLog(logger, time);
        _clock = time.CreateTimer(static self => ((DirectTransport)self!).Tick(), this, s_tick, s_tick);
    }

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var listener = await _transport.BindAsync(endpoint, cancellationToken).ConfigureAwait(false);
        if (!_isPolled(endpoint)) return listener;
        var direct = new Listener(listener);
        _listeners.Add(direct);
        return direct;
    }

    /// <summary>The outermost middleware of a polled socket.</summary>
    public ConnectionDelegate Intercept(ConnectionDelegate next) => connection =>
    {
        if (connection.Features.Get<Listener>() is not { } listener) return next(connection);
        var presets = KestrelsOwn(connection.Features);
        listener.Serving = AcceptAsync(listener.Inner, next, presets);
        listener.Started.TrySetResult();
        return Task.CompletedTask;
    };

    /// <summary>Done when each socket has its delegate, and connections are served.</summary>
    public Task WhenServingAsync(CancellationToken cancellation) => Task.WhenAll(_listeners.ConvertAll(listener => listener.Started.Task)).WaitAsync(cancellation);

    /// <summary>Asks all connections to end; breaks off those that have not when <paramref name="giveUp"/> is cancelled. To be called when nothing is accepted any more.</summary>
    public async Task StopAsync(CancellationToken giveUp)
    {
        // What was accepted last is among the open ones after this.
        await Task.WhenAll(_listeners.ConvertAll(listener => listener.Serving)).ConfigureAwait(false);
        _isStopping = true;
        foreach (var (connection, _) in _open) connection.RequestClose();
        if (_open.IsEmpty) return;
        try
        {
            await _empty.Task.WaitAsync(giveUp).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            foreach (var (connection, _) in _open) connection.Abort(new ConnectionAbortedException("the server stops"));
            // They end at once, but for those whose exchange the application side holds.
            await _empty.Task.WaitAsync(s_tick, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose() => _clock.Dispose();

    /// <summary>Drives the time-outs of all connections.</summary>
    private void Tick()
    {
        if (Interlocked.Exchange(ref _isTicking, 1) == 1) return;
        foreach (var (connection, _) in _open) TickOne(connection);
        Volatile.Write(ref _isTicking, 0);
    }

    private void TickOne(PolledConnection connection)
    {
        try
        {
            connection.Tick();
        }
#pragma warning disable CA1031 // one connection's; thrown by a timer it would be the process's
        catch (Exception error)
#pragma warning restore CA1031
        {
            _faults.Tell(error);
        }
    }

    /// <summary>Features that are Kestrel's connection object, and that a connection of ours cannot be.</summary>
    private static (Type, object)[] KestrelsOwn(IFeatureCollection features)
    {
        var kestrels = features.Get<IConnectionHeartbeatFeature>();
        return [.. from feature in features where ReferenceEquals(feature.Value, kestrels) && !feature.Key.IsAssignableFrom(typeof(PolledConnection)) select (feature.Key, feature.Value)];
    }

    private async Task AcceptAsync(IConnectionListener listener, ConnectionDelegate serve, (Type, object)[] presets)
    {
        while (await NextAsync(listener).ConfigureAwait(false) is { } accepted)
        {
            foreach (var (key, value) in presets) accepted.Features[key] = value;
            var polled = accepted.Features.GetRequiredFeature<PolledConnection>();
            _open.TryAdd(polled, polled);
            if (polled.IsOnItsThread) _ = ServeAsync(accepted, polled, serve);
            else polled.Scheduler.Schedule(_ => _ = ServeAsync(accepted, polled, serve), null);
        }
    }

    private async ValueTask<ConnectionContext?> NextAsync(IConnectionListener listener)
    {
        try
        {
            return await listener.AcceptAsync().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // whatever it is, this socket is served no more, and nobody else would say so
        catch (Exception error)
#pragma warning restore CA1031
        {
            FrontLog.AcceptFailed(_logger, listener.EndPoint.ToString() ?? "", error.Message);
            return null;
        }
    }

    private async Task ServeAsync(ConnectionContext connection, PolledConnection polled, ConnectionDelegate serve)
    {
        try
        {
            await serve(connection).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // one connection's
        catch (Exception error)
#pragma warning restore CA1031
        {
            _faults.Tell(error);
        }

        try
        {
            await polled.CompleteAsync().ConfigureAwait(false);
            await connection.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            // Whatever happened: who waits for the last one must not wait for ever.
            _open.TryRemove(polled, out _);
            if (_isStopping && _open.IsEmpty) _empty.TrySetResult();
        }
    }

    /// <summary>What Kestrel sees of a socket: the template, and then nothing until the end.</summary>
    private sealed class Listener(IConnectionListener inner) : IConnectionListener
    {
        private readonly TaskCompletionSource<ConnectionContext?> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private bool _hasGiven;

        public IConnectionListener Inner => inner;

        public EndPoint EndPoint => inner.EndPoint;

        public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Serving { get; set; } = Task.CompletedTask;

        public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            if (_hasGiven) return new(_end.Task);
            _hasGiven = true;
            var template = new TemplateConnection { LocalEndPoint = EndPoint };
            template.Features.Set(this);
            return new(template);
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            await inner.UnbindAsync(cancellationToken).ConfigureAwait(false);
            _end.TrySetResult(null);
        }

        public async ValueTask DisposeAsync()
        {
            await inner.DisposeAsync().ConfigureAwait(false);
            _end.TrySetResult(null);
        }
    }
}
