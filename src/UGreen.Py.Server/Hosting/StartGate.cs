using System.Collections.Concurrent;
using UGreen.Py.Gateway;

namespace UGreen.Py.Server.Hosting;

/// <summary>
/// Holds requests back until the worker has started. The front binds its sockets while Python loads the application: an address in use is told at once, and
/// the two starts share the time.
/// <para>
/// Invariant: an exchange is in the queue only while the gate is shut; Open sets the flag first and empties the queue after it, and Submit looks at the flag
/// again after it queued, so none stays behind.
/// </para>
/// </summary>
internal sealed class StartGate : IGatewayApplication
{
    private readonly ConcurrentQueue<GatewayExchange> _waiting = new();
    private readonly IGatewayApplication _application;
    private readonly int _limit;
    private volatile bool _isOpen;

    /// <param name="application">Gets every request, once open.</param>
    /// <param name="limit">Requests that may wait; more are answered with 503.</param>
    public StartGate(IGatewayApplication application, int limit)
    {
        _application = application;
        _limit = limit;
    }

    public void Submit(GatewayExchange exchange)
    {
        if (_isOpen)
        {
            _application.Submit(exchange);
            return;
        }

        if (_waiting.Count >= _limit)
        {
            exchange.Head.Status = 503;
            exchange.Head.Add("Retry-After", "1");
            exchange.SetWholeBody(0);
            exchange.Complete(ExchangeOutcome.Whole);
            return;
        }

        _waiting.Enqueue(exchange);
        if (_isOpen) Drain();
    }

    public void Open()
    {
        _isOpen = true;
        Drain();
    }

    private void Drain()
    {
        while (_waiting.TryDequeue(out var exchange)) _application.Submit(exchange);
    }
}
