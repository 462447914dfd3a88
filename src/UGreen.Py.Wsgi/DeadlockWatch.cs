using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi;

/// <summary>
/// Tells of dead-locks: green threads that wait for locks which only they themselves could release (docs/adr/0042). The thread of the hang watch asks the hub to look, every few seconds
/// while any of them waits for a lock; what the hub has not seen the time before is not looked at, so that short waits cost nothing but that.
/// </summary>
internal sealed partial class DeadlockWatch(HubLoop hub, IClock clock, ILogger log) : IInboxReceiver
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Between two looks. A wait that was there twice is at least as old.</summary>
    private const long LooksEvery = 2 * NanosecondsPerSecond;

    /// <summary>With nothing new, others may have ended meanwhile that could have released something.</summary>
    private const long AsksAgainAfter = 10 * NanosecondsPerSecond;

    private const int TimeForOthers = 100;

    private HashSet<long> _seen = [];
    private HashSet<long> _now = [];
    private HashSet<long> _asked = [];
    private long _lookedAt;
    private long _pause = LooksEvery;
    private long _askedAt;
    private volatile bool _isOnItsWay;

    /// <summary>The watching thread's.</summary>
    public void Tick(long now)
    {
        if (_isOnItsWay || now - _lookedAt < Volatile.Read(ref _pause) || (hub.LockWaits == 0 && _seen.Count == 0)) return;
        _lookedAt = now;
        _isOnItsWay = true;
        hub.Inbox.Post(this, null, 0);
    }

    /// <summary>Hub thread.</summary>
    void IInboxReceiver.Receive(object? payload, long token)
    {
        var began = clock.Now;
        try
        {
            if (HasNews(began)) Ask();
        }
        finally
        {
            // With thousands of waits a look takes its time; the hub has other things to do.
            Volatile.Write(ref _pause, Math.Max(LooksEvery, (clock.Now - began) * TimeForOthers));
            _isOnItsWay = false;
        }
    }

    /// <summary>Some have waited since the last look, and were not asked about; or all that was some time ago.</summary>
    private bool HasNews(long now)
    {
        _now.Clear();
        foreach (var green in hub.Greens)
        {
            if (HubLoop.LockWaitOf(green) is { IsTimed: false } wait) _now.Add(wait.Number);
        }

        var old = new HashSet<long>(_now);
        old.IntersectWith(_seen);
        (_seen, _now) = (_now, _seen);
        if (old.Count == 0 || (old.IsSubsetOf(_asked) && now - _askedAt < AsksAgainAfter)) return false;
        (_asked, _askedAt) = (old, now);
        return true;
    }

    private void Ask()
    {
        using var pause = CollectorPause.Begin();
        using var module = CApi.PyImport_ImportModule("ugreen._deadlock");
        using var look = module.IsNull ? default : CApi.PyObject_GetAttrString(module.Borrow(), "look");
        using var found = look.IsNull ? default : CApi.PyObject_CallNoArgs(look.Borrow());
        if (found.IsNull)
        {
            var error = PythonException.Fetch();
            Failed(error.Traceback ?? error.Message);
            return;
        }

        for (nint i = 0; i < CApi.PyList_Size(found.Borrow()); i++) Dead(PyText.ToText(CApi.PyList_GetItem(found.Borrow(), i)) ?? "?");
    }

    [LoggerMessage(EventId = 790, Level = LogLevel.Warning, Message = "dead-lock: {What}")]
    private partial void Dead(string what);

    [LoggerMessage(EventId = 791, Level = LogLevel.Error, Message = "the search for dead-locks failed\n{Traceback}")]
    private partial void Failed(string traceback);
}
