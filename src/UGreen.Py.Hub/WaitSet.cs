namespace UGreen.Py.Hub;

/// <summary>
/// What a green thread has registered for its next <c>suspend()</c>: file descriptors and one deadline.
/// <para>
/// Registering does not wait. Events that come between registering and suspending are kept, so none is lost. One suspend consumes everything: the first event wins,
/// all other registrations are dropped (the file descriptors themselves are never touched), and flags do not survive into the next wait.
/// </para>
/// </summary>
public sealed class WaitSet : IFdWaiter
{
    private readonly GreenThread _green;
    private readonly FdTable _fds;
    private readonly TimerHeap _timers;
    private readonly IClock _clock;
    private readonly HubTimer _timer;
    private readonly ParkReason _reason;
    private FdRegistration[] _registrations = [];
    private int _count;
    private bool _hasDeadline;
    private bool _timerFired;

    internal WaitSet(GreenThread green, FdTable fds, TimerHeap timers, IClock clock, ParkReason reason = ParkReason.Suspended)
    {
        (_green, _fds, _timers, _clock, _reason) = (green, fds, timers, clock, reason);
        _timer = new HubTimer(static t => ((WaitSet)t.Owner).TimeIsUp(), this);
    }

    /// <summary>The fd that ended the last suspend; -1 when something else did, or when nothing was registered.</summary>
    public int ReadyFd { get; private set; } = -1;

    /// <summary>True when the last suspend was ended by its deadline.</summary>
    public bool TimedOut { get; private set; }

    /// <summary>True when nothing is registered: a suspend now would only let others run.</summary>
    public bool IsEmpty => _count == 0 && !_hasDeadline;

    /// <summary>Registers an fd for the next suspend; the same fd and direction twice is one registration. Returns 0 or the errno; after an error nothing is left behind.</summary>
    /// <param name="fd">The file descriptor.</param>
    /// <param name="direction">What to wait for.</param>
    /// <param name="timeoutNanoseconds">Latest end of the wait, from now; 0 or less: none. Of several deadlines the earliest counts.</param>
    public int AddFd(int fd, FdDirection direction, long timeoutNanoseconds)
    {
        if (IsEmpty) ForgetLast();
        for (var i = 0; i < _count; i++)
        {
            var known = _registrations[i];
            if (known.Fd != fd || known.Direction != direction || known.Fired) continue;

            // Registering again may be for a new file of the same number: go through the kernel once more.
            FdTable.Unregister(known);
            var again = _fds.Register(known, fd, direction);
            if (again != 0) RemoveAt(i);
            else AddDeadline(timeoutNanoseconds);
            return again;
        }

        var r = Spare();
        var error = _fds.Register(r, fd, direction);
        if (error != 0) return error;
        _count++;
        AddDeadline(timeoutNanoseconds);
        return 0;
    }

    /// <summary>Sets a deadline for the next suspend, in nanoseconds from now; 0 or less sets none.</summary>
    public void AddDeadline(long nanoseconds)
    {
        if (nanoseconds <= 0) return;
        if (IsEmpty) ForgetLast();
        var due = _clock.Now + nanoseconds;
        if (due < 0) due = long.MaxValue;
        if (_hasDeadline && (_timerFired || _timer.Due <= due)) return;
        _hasDeadline = true;
        _timers.Arm(_timer, due);
    }

    /// <summary>
    /// Suspends the running green thread until something registered happens; with nothing registered, or something that has happened already, it only lets others run.
    /// </summary>
    /// <param name="continuation">Call to go on with after a park; null: simply resume.</param>
    public CallOutcome Suspend(HubCall? continuation = null)
    {
        if (IsEmpty)
        {
            ForgetLast();
            return CallOutcome.Yield;
        }

        for (var i = 0; i < _count; i++)
        {
            if (!_registrations[i].Fired) continue;
            End(_registrations[i].Fd, timedOut: false);
            return CallOutcome.Yield;
        }

        if (_timerFired)
        {
            End(-1, timedOut: true);
            return CallOutcome.Yield;
        }

        _green.Park(continuation, _reason);
        return CallOutcome.Park;
    }

    /// <summary>Drops everything: the green thread was woken for another reason, or has finished.</summary>
    public void Clear() => End(-1, timedOut: false);

    void IFdWaiter.FdReady(FdRegistration registration)
    {
        // Not parked for this (still running, or in an implicit wait): the registration keeps its mark until the next suspend.
        if (!_green.IsParkedFor(_reason)) return;
        End(registration.Fd, timedOut: false);
        _green.Wake(registration.IsClosed && _green.Continuation is Blocking.BlockingCalls ? WakeCause.Closed : WakeCause.Fd);
    }

    private void TimeIsUp()
    {
        _timerFired = true;
        if (!_green.IsParkedFor(_reason)) return;
        End(-1, timedOut: true);
        _green.Wake(WakeCause.Timeout);
    }

    private void End(int readyFd, bool timedOut)
    {
        for (var i = 0; i < _count; i++)
        {
            FdTable.Unregister(_registrations[i]);
            _registrations[i].Fired = false;
        }

        _count = 0;
        if (_hasDeadline) _timers.Disarm(_timer);
        _hasDeadline = _timerFired = false;
        (ReadyFd, TimedOut) = (readyFd, timedOut);
    }

    private void ForgetLast() => (ReadyFd, TimedOut) = (-1, false);

    private FdRegistration Spare()
    {
        if (_count == _registrations.Length)
        {
            Array.Resize(ref _registrations, Math.Max(2, _count * 2));
            for (var i = _count; i < _registrations.Length; i++) _registrations[i] = new FdRegistration(this);
        }

        return _registrations[_count];
    }

    private void RemoveAt(int i)
    {
        _count--;
        (_registrations[i], _registrations[_count]) = (_registrations[_count], _registrations[i]);
    }
}
