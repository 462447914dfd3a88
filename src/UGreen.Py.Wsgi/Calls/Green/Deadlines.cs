using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary>
/// Exceptions that are raised in green threads when a time is over: what <c>ugreen.timeout()</c> is made of.
/// <para>Invariant: a deadline is in the table until it is cancelled, whether its time is over or not; so cancelling one tells whether its exception was raised or is still on its way.</para>
/// </summary>
internal sealed class Deadlines(HubLoop hub, IClock clock)
{
    private readonly Dictionary<long, Deadline> _byNumber = [];
    private long _last;

    /// <summary>Deadlines that were set and not cancelled.</summary>
    public int Count => _byNumber.Count;

    /// <summary>Sets one for a green thread.</summary>
    /// <param name="green">Where to raise.</param>
    /// <param name="nanoseconds">From now.</param>
    /// <param name="exception">What to raise; taken over.</param>
    /// <returns>Its number, for <see cref="Cancel"/>.</returns>
    public long Set(GreenThread green, long nanoseconds, NewRef exception)
    {
        var deadline = new Deadline(hub, green.Id, exception);
        _byNumber[++_last] = deadline;
        var due = clock.Now + nanoseconds;
        hub.Timers.Arm(deadline.Timer, due < 0 ? long.MaxValue : due);
        return _last;
    }

    /// <summary>Takes a deadline back.</summary>
    /// <returns>True when its exception has not been raised and will not be.</returns>
    public bool Cancel(long number)
    {
        if (!_byNumber.Remove(number, out var deadline)) return false;
        var early = deadline.Timer.IsArmed;
        if (early) hub.Timers.Disarm(deadline.Timer);
        else early = hub.Find(deadline.GreenId)?.Forgive(deadline.Exception.Borrow()) ?? false;
        deadline.Exception.Dispose();
        return early;
    }

    private sealed class Deadline
    {
        private readonly HubLoop _hub;

        public Deadline(HubLoop hub, long greenId, NewRef exception)
        {
            (_hub, GreenId, Exception) = (hub, greenId, exception);
            Timer = new HubTimer(static t => ((Deadline)t.Owner).TimeIsUp(), this);
        }

        public long GreenId { get; }

        public NewRef Exception { get; }

        public HubTimer Timer { get; }

        private void TimeIsUp()
        {
            CApi.Py_IncRef(Exception.Borrow());
            InterruptCall.Deliver(_hub, GreenId, new NewRef(Exception.Address));
        }
    }
}
