namespace UGreen.Py.Gateway;

/// <summary>
/// How much of the application side the requests of one client connection may hold at a time; the others wait here, first come, first served.
/// <para>
/// What counts are requests whose response the client does not take (<see cref="Block"/>), and those that have just begun, of which nobody knows yet. One that computes, or waits
/// for something else than its client, does not: a hundred event streams over one connection are what a hundred cores are for (docs/adr/0038).
/// </para>
/// <para>Any thread; the lock is taken only for connections that carry several requests side by side.</para>
/// </summary>
/// <param name="most">So many may count; at least 1.</param>
/// <param name="time">The clock.</param>
#pragma warning disable CA1001 // the timer runs once at a time and only while somebody waits; then there is nothing to dispose
public sealed class RequestShare(int most, TimeProvider time)
#pragma warning restore CA1001
{
    // Longer than a request takes to send its first bytes and find the window shut, short enough for nobody to mind.
    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(50);

    private readonly Lock _lock = new();
    private readonly Queue<(GatewayExchange Exchange, IGatewayApplication Application)> _waiting = new();
    private ITimer? _timer;
    private long _began;
    private int _period = 1;
    private int _fresh;
    private int _blocked;

    /// <summary>A flush of one of them waits for the client.</summary>
    public void Block()
    {
        lock (_lock) _blocked++;
    }

    /// <summary>It waits no more.</summary>
    public void Unblock()
    {
        lock (_lock) _blocked--;
        Pump();
    }

    /// <summary>Passes the exchange on, now or when there is room.</summary>
    internal void Submit(GatewayExchange exchange, IGatewayApplication application)
    {
        lock (_lock)
        {
            if (_waiting.Count > 0 || !TryAdmit(exchange))
            {
                _waiting.Enqueue((exchange, application));
                LookLater();
                return;
            }
        }

        application.Submit(exchange);
    }

    /// <summary>One that was passed on is back.</summary>
    internal void Leave(int ticket)
    {
        lock (_lock)
        {
            if (ticket == _period) _fresh--;
        }

        Pump();
    }

    private bool TryAdmit(GatewayExchange exchange)
    {
        if (time.GetElapsedTime(_began) >= s_period)
        {
            (_began, _fresh) = (time.GetTimestamp(), 0);
            _period++;
        }

        if (_fresh + _blocked >= most) return false;
        _fresh++;
        exchange.ShareTicket = _period;
        return true;
    }

    private void Pump()
    {
        while (true)
        {
            (GatewayExchange Exchange, IGatewayApplication Application) next;
            lock (_lock)
            {
                if (!_waiting.TryPeek(out next)) return;
                if (!TryAdmit(next.Exchange))
                {
                    LookLater();
                    return;
                }

                _waiting.Dequeue();
            }

            if (!next.Exchange.ClientGone.IsCancellationRequested)
            {
                next.Application.Submit(next.Exchange);
                continue;
            }

            // Nobody is there to be answered: no core for it. Its end gives back what it counts.
            next.Exchange.Complete(ExchangeOutcome.Aborted);
        }
    }

    private void LookLater()
    {
        _timer ??= time.CreateTimer(static self => ((RequestShare)self!).Pump(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(s_period, Timeout.InfiniteTimeSpan);
    }
}
