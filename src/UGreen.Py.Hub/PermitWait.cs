using UGreen.Py.CPython;

namespace UGreen.Py.Hub;

/// <summary>
/// One green thread's wait for another: <see cref="Wait"/> until <see cref="Release"/>. What locks, events and queues are made of.
/// <para>
/// Invariant: a release is never lost and never counted twice. One that comes before the wait is kept as the permit, and the next wait takes it and does not park; several
/// before it are one permit. So whoever waits must look again at what it waits for, and whoever releases need not know whether somebody waits yet.
/// </para>
/// <para>Belongs to the hub thread. Other threads come through the inbox.</para>
/// </summary>
public sealed class PermitWait
{
    private readonly GreenThread _green;
    private readonly TimerHeap _timers;
    private readonly IClock _clock;
    private HubTimer? _timer;
    private bool _permit;

    internal PermitWait(GreenThread green, TimerHeap timers, IClock clock) => (_green, _timers, _clock) = (green, timers, clock);

    /// <summary>Parks the running green thread until a release or the time is over. Its hub call then returns True or False.</summary>
    /// <param name="timeoutNanoseconds">From now; negative: none. With 0 it does not park: it takes the permit or lets others run.</param>
    public CallOutcome Wait(long timeoutNanoseconds)
    {
        if (_permit)
        {
            _permit = false;
            Answer(PyConstants.True);
            return CallOutcome.Resume;
        }

        if (timeoutNanoseconds == 0)
        {
            Answer(PyConstants.False);
            return CallOutcome.Yield;
        }

        // What the call returns is set by whoever ends the wait.
        _green.Park(null, ParkReason.Permit);
        if (timeoutNanoseconds > 0) Arm(timeoutNanoseconds);
        return CallOutcome.Park;
    }

    /// <summary>Ends the wait, or the next one before it begins.</summary>
    public void Release()
    {
        if (!_green.IsParkedFor(ParkReason.Permit))
        {
            _permit = true;
            return;
        }

        Disarm();
        Answer(PyConstants.True);
        _green.Wake(WakeCause.Released);
    }

    /// <summary>The green thread was woken for another reason.</summary>
    internal void Disarm()
    {
        if (_timer is { IsArmed: true }) _timers.Disarm(_timer);
    }

    /// <summary>The green thread has finished: a permit of its must not reach the next on its core.</summary>
    internal void Clear()
    {
        Disarm();
        _permit = false;
    }

    private void Arm(long timeoutNanoseconds)
    {
        _timer ??= new HubTimer(static t => ((PermitWait)t.Owner).TimeIsUp(), this);
        var due = _clock.Now + timeoutNanoseconds;
        _timers.Arm(_timer, due < 0 ? long.MaxValue : due);
    }

    private void TimeIsUp()
    {
        Answer(PyConstants.False);
        _green.Wake(WakeCause.Timeout);
    }

    private void Answer(BorrowedRef singleton) => _green.Result = PyFast.Singleton(singleton);
}
