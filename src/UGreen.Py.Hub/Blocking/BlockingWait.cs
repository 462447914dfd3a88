using UGreen.Py.CPython;
using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary>One green thread's wait within a call of the C library. Reused for its next one.</summary>
internal sealed class BlockingWait
{
    private readonly BlockingCalls _calls;
    private readonly HubTimer _timer;

    /// <summary>The GIL and the pending error, as the caller had them.</summary>
    public GilHandover Handover;

    /// <summary>What OpenSSL had noted for the caller; null: nothing.</summary>
    public Native.OpenSslErrors? Errors;

    public BlockingWait(GreenThread green, BlockingCalls calls)
    {
        (Green, _calls) = (green, calls);
        _timer = new HubTimer(static t => ((BlockingWait)t.Owner).TimeIsUp(), this);
    }

    public GreenThread Green { get; }

    public BlockingCalls Calls => _calls;

    /// <summary>The call that waits, or waited last.</summary>
    public NativeCall Call { get; private set; }

    /// <summary>Which function that is.</summary>
    public BlockingFunction Function { get; private set; } = null!;

    /// <summary>Tells which of two waits was begun later.</summary>
    public long Number { get; private set; }

    /// <summary>When the wait ends at the latest, on the hub's clock; <see cref="long.MaxValue"/>: never.</summary>
    public long Due { get; set; }

    /// <summary>How much of it is done already, in bytes.</summary>
    public nint Done { get; set; }

    /// <summary>How much of the message that is under way, where there are several.</summary>
    public nint Part { get; set; }

    /// <summary>Pause before the next look, where nothing tells; in nanoseconds.</summary>
    public long Pause { get; set; }

    /// <summary>A descriptor that is closed when the wait is over; -1: none.</summary>
    public int OwnFd { get; set; } = -1;

    /// <summary>What a thread of the pool found.</summary>
    public BlockingAnswer PoolAnswer { get; set; }

    /// <summary>The address that it waits for, 0: none; and its neighbours among those that do.</summary>
    public nint Address { get; set; }

    public BlockingWait? Next { get; set; }

    public BlockingWait? Previous { get; set; }

    /// <summary>Time until <see cref="Due"/> in nanoseconds; -1: no end.</summary>
    public long Left => Due == long.MaxValue ? -1 : Math.Max(0, Due - _calls.Now);

    public void Begin(NativeCall call, BlockingFunction function, long number)
    {
        Number = number;
        (Call, Function) = (call, function);
        Due = long.MaxValue;
        Done = Part = 0;
        Pause = 0;
    }

    /// <summary>Ends at the latest so many nanoseconds from now.</summary>
    public void SetLimit(long nanoseconds)
    {
        var due = _calls.Now + nanoseconds;
        Due = due < 0 ? long.MaxValue : due;
    }

    /// <summary>The call returns this, and its green thread goes on.</summary>
    public CallOutcome Answer(BlockingAnswer answer)
    {
        var call = Call;
        Green.Result = answer.Result;
        if (answer.Errno is { } errno) call.Errno = errno;
        return CallOutcome.Resume;
    }

    /// <summary>The call is made as it is, and may block: the way out where nothing better is known.</summary>
    public CallOutcome AnswerByCall()
    {
        var result = Call.Invoke(out var errno);
        return Answer(new BlockingAnswer(result, errno));
    }

    /// <summary>Parks until somebody wakes it, <see cref="Due"/> at the latest.</summary>
    public CallOutcome Park()
    {
        Green.Park(_calls, ParkReason.Blocked);
        if (Due != long.MaxValue) _calls.Timers.Arm(_timer, Due);
        return CallOutcome.Park;
    }

    /// <summary>Parks until somebody wakes it; an exception does not.</summary>
    public CallOutcome ParkFirmly()
    {
        Green.Park(_calls, ParkReason.Operation);
        return CallOutcome.Park;
    }

    /// <summary>Parks until the next look is due: 1 ms first, then twice as long each time, 20 ms at most.</summary>
    public CallOutcome ParkForLook()
    {
        const long First = 1_000_000, Longest = 20_000_000;
        Pause = Pause == 0 ? First : Math.Min(Longest, Pause * 2);
        Green.Park(_calls, ParkReason.Blocked);
        _calls.Timers.Arm(_timer, Math.Min(Due, _calls.Now + Pause));
        return CallOutcome.Park;
    }

    /// <summary>Waits for a descriptor, <see cref="Due"/> at the latest. What cannot be waited for is called as it is.</summary>
    public CallOutcome WaitFd(int fd, FdDirection direction)
    {
        var left = Left;
        if (left == 0) left = 1;
        return Green.OneWait.AddFd(fd, direction, left) != 0 ? AnswerByCall() : Suspend();
    }

    /// <summary>The same for what is read or written: where that is an error it is made at once, as nothing would ever happen.</summary>
    public CallOutcome WaitFile(int fd, FdDirection direction)
        => (direction == FdDirection.Read ? FdAccess.CanRead(fd) : FdAccess.CanWrite(fd)) ? WaitFd(fd, direction) : AnswerByCall();

    /// <summary>Waits for what is registered in the green thread's <see cref="GreenThread.OneWait"/>.</summary>
    public CallOutcome Suspend() => Green.OneWait.Suspend(_calls) == CallOutcome.Park ? CallOutcome.Park : LetOthersRun(WakeCause.Fd);

    /// <summary>The same, for so many nanoseconds (-1: no limit) or until <see cref="Due"/> at the latest.</summary>
    public CallOutcome SuspendFor(long most)
    {
        var left = Left;
        if (most >= 0 && (left < 0 || left > most)) left = most;
        if (left >= 0) Green.OneWait.AddDeadline(Math.Max(1, left));
        if (!Green.OneWait.IsEmpty) return Suspend();

        // Nothing, for ever: only an exception ends it.
        return Park();
    }

    /// <summary>Goes on behind all others that are ready.</summary>
    public CallOutcome LetOthersRun(WakeCause cause)
    {
        Green.Park(_calls, ParkReason.Blocked);
        Green.Wake(cause);
        return CallOutcome.Park;
    }

    /// <summary>The wait is over: nothing of it may happen later.</summary>
    public void Disarm()
    {
        if (_timer.IsArmed) _calls.Timers.Disarm(_timer);
        if (OwnFd < 0) return;
        Native.OutputDescriptor.Close(OwnFd);
        OwnFd = -1;
    }

    private void TimeIsUp()
    {
        if (!Green.IsParkedFor(ParkReason.Blocked)) return;
        Function.Abandon(this);
        Green.Wake(WakeCause.Timeout);
    }
}
