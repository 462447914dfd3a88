using UGreen.Py.Hub;
using UGreen.Py.Wsgi.Control;

namespace UGreen.Py.Wsgi;

/// <summary>
/// Shows on the scoreboard in which calls of the C library requests wait, for the master to tell when the worker is dead or killed. Not at each wait, which would cost more than many of
/// them: every few seconds, and only of those that were there the last time.
/// </summary>
internal sealed class CallBoard(HubLoop hub, IRequestBoard board) : IInboxReceiver
{
    /// <summary>A request that is worth asking about has waited for longer; nanoseconds.</summary>
    private const long LooksEvery = 1_000_000_000;

    // By core: the wait that was there at the last look, and the one that is shown; 0: none.
    private readonly long[] _seen = new long[board.ShowsCalls ? hub.CountOf(CoreKind.Request) : 0];
    private readonly long[] _shown = new long[board.ShowsCalls ? hub.CountOf(CoreKind.Request) : 0];
    private long _lookedAt;
    private volatile bool _isOnItsWay;

    /// <summary>The watching thread's.</summary>
    public void Tick(long now)
    {
        if (!board.ShowsCalls || _isOnItsWay || now - _lookedAt < LooksEvery || hub.FreeCores == hub.CountOf(CoreKind.Request)) return;
        _lookedAt = now;
        _isOnItsWay = true;
        hub.Inbox.Post(this, null, 0);
    }

    /// <summary>The watching thread's: a request hangs in a call, and the hub with it, which so writes nothing itself.</summary>
    public void Hangs(int core, string call) => board.SetCall(core, call);

    /// <summary>Hub thread.</summary>
    void IInboxReceiver.Receive(object? payload, long token)
    {
        for (var core = 0; core < _seen.Length; core++) Show(hub.Greens[core]);
        _isOnItsWay = false;
    }

    private void Show(GreenThread green)
    {
        var core = green.Number;
        var serial = green.Status == GreenStatus.Parked ? green.WaitSerial : 0;
        if (_shown[core] != 0 && _shown[core] != serial)
        {
            board.SetCall(core, "");
            _shown[core] = 0;
        }

        var isOld = serial != 0 && _seen[core] == serial;
        _seen[core] = serial;
        if (!isOld || _shown[core] == serial || HubLoop.DescribeBlocking(green) is not { } call) return;
        board.SetCall(core, call);
        _shown[core] = serial;
    }
}
