namespace UGreen.Py.Gateway;

/// <summary>
/// How many requests of one client connection the application side may have at a time; the others wait here, first come, first served. Any thread; its lock is taken only for
/// connections that carry several requests side by side.
/// </summary>
/// <param name="most">At least 1.</param>
public sealed class RequestShare(int most)
{
    private readonly Lock _lock = new();
    private readonly Queue<(GatewayExchange Exchange, IGatewayApplication Application)> _waiting = new();
    private int _running;

    /// <summary>Passes the exchange on, now or when another one has left.</summary>
    internal void Submit(GatewayExchange exchange, IGatewayApplication application)
    {
        lock (_lock)
        {
            if (_running == most)
            {
                _waiting.Enqueue((exchange, application));
                return;
            }

            _running++;
        }

        exchange.HoldsShare = true;
        application.Submit(exchange);
    }

    /// <summary>One that was passed on is back.</summary>
    internal void Leave()
    {
        while (true)
        {
            (GatewayExchange Exchange, IGatewayApplication Application) next;
            lock (_lock)
            {
                if (!_waiting.TryDequeue(out next))
                {
                    _running--;
                    return;
                }
            }

            // Nobody is there to be answered: no core for it.
            if (next.Exchange.ClientGone.IsCancellationRequested)
            {
                next.Exchange.Complete(ExchangeOutcome.Aborted);
                continue;
            }

            next.Exchange.HoldsShare = true;
            next.Application.Submit(next.Exchange);
            return;
        }
    }
}
