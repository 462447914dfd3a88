using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace UGreen.Py.Front;

/// <summary>Ends a read that waits for too long. Kestrel's heartbeat drives it, once a second, as it does Kestrel's own time-outs.</summary>
internal sealed class SilenceClock
{
    private readonly Lock _lock = new();
    private readonly PipeReader _input;
    private double _secondsLeft;
    private bool _isStopped;

    private SilenceClock(PipeReader input) => _input = input;

    /// <param name="connection">Whose input is watched.</param>
    /// <param name="limit">How long the next read may take; to the second.</param>
    public static SilenceClock Start(ConnectionContext connection, TimeSpan limit)
    {
        var clock = new SilenceClock(connection.Transport.Input) { _secondsLeft = limit.TotalSeconds };
        connection.Features.Get<IConnectionHeartbeatFeature>()?.OnHeartbeat(static clock => ((SilenceClock)clock).Tick(), clock);
        return clock;
    }

    public void Restart(TimeSpan limit)
    {
        lock (_lock) _secondsLeft = limit.TotalSeconds;
    }

    /// <summary>One second has passed.</summary>
    public void Tick()
    {
        // Under the lock: the next read is another one's and must not be cancelled.
        lock (_lock)
        {
            if (_isStopped || --_secondsLeft > 0) return;
            _isStopped = true;
            _input.CancelPendingRead();
        }
    }

    /// <summary>The read has ended. A heartbeat cannot be unregistered, so this is for the rest of the connection.</summary>
    public void Stop()
    {
        lock (_lock) _isStopped = true;
    }
}
