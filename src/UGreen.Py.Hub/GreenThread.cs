using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub.Blocking;
using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub;

/// <summary>
/// One core: the slot, its green stack and the green thread that runs on it. Belongs to the hub thread.
/// <para>
/// Invariant: <see cref="Status"/> follows the transitions of <see cref="GreenStatus"/>; a parked green thread has one <see cref="ParkReason"/> and wakes once;
/// <see cref="WaitSerial"/> grows with every park, so whoever holds an old serial cannot wake a later wait.
/// </para>
/// </summary>
public sealed class GreenThread : IInboxReceiver
{
    private readonly HubLoop _hub;
    private readonly GreenCore _core;
    private ParkReason _reason;
    private GreenExtras? _extras;

    internal GreenThread(HubLoop hub, GreenCore core, FdTable fds, TimerHeap timers, IClock clock)
    {
        (_hub, _core) = (hub, core);
        Number = core.Number;
        Waits = new WaitSet(this, fds, timers, clock);
    }

    /// <summary>Number of the core, from 0: <c>uwsgi.async_id()</c>.</summary>
    public int Number { get; }

    /// <summary>Tells this green thread from all others that ran or will run on any core; see <see cref="HubLoop.Find"/>.</summary>
    public long Id { get; internal set; }

    public GreenStatus Status { get; internal set; }

    /// <summary>From its spawn until its function has returned.</summary>
    public bool IsAlive => Status is not (GreenStatus.Free or GreenStatus.Ending);

    /// <summary>What it runs for; null while the core is free.</summary>
    public IGreenOccupant? Occupant { get; internal set; }

    /// <summary>How often this green thread left the CPU by a park or a yield since it was spawned.</summary>
    public long Switches { get; internal set; }

    /// <summary>Serial number of the current or last park.</summary>
    public long WaitSerial { get; private set; }

    /// <summary>Registrations of the next suspend.</summary>
    public WaitSet Waits { get; }

    /// <summary>For waits that must not touch what was registered for the next suspend: a library's own, in the middle of the application's.</summary>
    public WaitSet OneWait => Extras.OneWait;

    /// <summary>Its wait for a release by others.</summary>
    public PermitWait Permit => Extras.Permit;

    /// <summary>An exception waits to be raised in it.</summary>
    public bool IsInterrupted => _extras is { Interrupt.IsNull: false };

    /// <summary>Asked on the hub thread: the code that asks runs on this green thread's own stack, so not in a hub call.</summary>
    public bool IsOnItsStack => (nuint)(ThreadStack.CurrentAddress() - _core.StackLow) < (nuint)_core.StackBytes;

    /// <summary>What its hub call returns when it is resumed: a new reference that passes to Python, or 0 with an exception set.</summary>
    public nint Result
    {
        get => _core.Result;
        set
        {
            var core = _core;
            core.Result = value;
        }
    }

    /// <summary>Arguments of the hub call that is being served or that it is parked in: they lie in its Python frame, which stays.</summary>
    public HubCallArguments Arguments => new(_core.Args, _core.NArgs, _core.KwNames);

    /// <summary>What <c>threading.get_ident()</c> is on its core.</summary>
    public nint Identity => _core.Identity;

    /// <summary>Copies what it has last pushed on its stack before it parked, the last first; returns how many words. What they mean, the words do not say.</summary>
    public int CopyTop(Span<nint> into) => _core.CopyTop(into);

    internal GreenCore Core => _core;

    /// <summary>False until its first hub call: an exception cannot be raised in code that has not begun.</summary>
    internal bool HasCalled => _core.Self != 0;

    private GreenExtras Extras => _extras ??= _hub.NewExtras(this);

    internal HubCall? Continuation { get; private set; }

    /// <summary>It goes on in C code, not by the end of a hub call: <see cref="HubLoop"/> has to give the GIL back first.</summary>
    internal bool LeavesBlocking { get; set; }

    /// <summary>Its wait within a call of the C library; null: it never was in one.</summary>
    internal BlockingWait? Blocking
    {
        get => _extras?.Blocking;
        set => Extras.Blocking = value;
    }

    /// <summary>A call of the C library was ended for its exception, which is raised between two lines of Python: no other call need be ended for it.</summary>
    internal bool IsTold
    {
        get => _extras is { IsTold: true };
        set => Extras.IsTold = value;
    }

    /// <summary>An exception waits, and the wait that begins has to end for it.</summary>
    internal bool ShallEndWait => IsInterrupted && !(IsTold && Continuation is BlockingCalls);

    internal WakeCause Cause { get; private set; }

    /// <summary>Parks it, while its hub call is being served; the handler then returns <see cref="CallOutcome.Park"/>.</summary>
    /// <param name="continuation">Its <see cref="HubCall.Continue"/> runs after the wake; null: it is simply resumed with the result that is set.</param>
    /// <param name="reason">Who may wake it.</param>
    /// <returns>The serial to hand to whoever will wake it.</returns>
    public long Park(HubCall? continuation, ParkReason reason)
    {
        if (Status != GreenStatus.Running) throw new HubInvariantException($"green thread {Number} is parked while {Status}");
        Status = GreenStatus.Parked;
        Continuation = continuation;
        _reason = reason;
        return ++WaitSerial;
    }

    public bool IsParkedFor(ParkReason reason) => Status == GreenStatus.Parked && _reason == reason;

    /// <summary>Makes a parked green thread ready. Only for callers that know that it is their wait; others use <see cref="TryWake"/>.</summary>
    public void Wake(WakeCause cause)
    {
        if (Status != GreenStatus.Parked) throw new HubInvariantException($"green thread {Number} is woken while {Status}");
        _reason = ParkReason.None;
        Cause = cause;
        _hub.MakeReady(this);
    }

    /// <summary>Wakes it if it is still in the wait of that serial; a stale caller changes nothing.</summary>
    public bool TryWake(long serial, WakeCause cause)
    {
        if (Status != GreenStatus.Parked || WaitSerial != serial) return false;
        Wake(cause);
        return true;
    }

    /// <summary>
    /// Raises an exception in this green thread where it waits: at once when it is parked, otherwise in its next wait. A wait that is a body read or a flush is ended early when
    /// the front can do that; bytes that were on their way may be lost, as with any write that fails.
    /// </summary>
    /// <param name="exception">An exception object; taken over in any case.</param>
    /// <param name="replace">It takes the place of one that waits already: an end of the green thread counts more than a limit of one of its waits.</param>
    /// <returns>False when it has finished, or when another exception waits already: the first one counts.</returns>
    public bool Interrupt(NewRef exception, bool replace = false)
    {
        if (!IsAlive || (IsInterrupted && !replace))
        {
            exception.Dispose();
            return false;
        }

        var before = IsInterrupted ? ReleaseInterrupt() : default;
        Extras.Interrupt = exception;
        _hub.Interrupts++;
        if (Status == GreenStatus.Parked) EndWait();
        before.Dispose(); // last: it may run finalizers
        return true;
    }

    /// <summary>Takes back an exception that was not raised yet (a deadline whose block has ended in time). False when there is none or it is another.</summary>
    public bool Forgive(BorrowedRef exception)
    {
        if (!IsInterrupted || Extras.Interrupt.Address != exception.Address) return false;
        DropInterrupt();
        return true;
    }

    /// <summary>The exception that waits, now the caller's to raise; null when there is none.</summary>
    public HubCallException? TakeInterrupt()
    {
        return IsInterrupted ? HubCallException.Object(ReleaseInterrupt()) : null;
    }

    /// <summary>The exception for which a wait within a call of the C library was ended, if it waits still; now the caller's to raise.</summary>
    public HubCallException? TakeTold() => IsTold ? TakeInterrupt() : null;

    /// <summary>Keeps a reference to a Python object until this green thread has ended.</summary>
    public void Keep(BorrowedRef item)
    {
        var extras = Extras;
        if (extras.Kept.IsNull) extras.Kept = CApi.PyList_New(0).OrThrow();
        if (CApi.PyList_Append(extras.Kept.Borrow(), item) < 0) throw PythonException.Fetch();
    }

    /// <summary>Lets go of what was kept. Runs finalizers, so its Python state must be in. A finalizer is no green thread and keeps nothing.</summary>
    internal void ReleaseKept()
    {
        if (_extras is not { Kept.IsNull: false } extras) return;
        var kept = extras.Kept;
        extras.Kept = default;
        kept.Dispose();
    }

    /// <summary>It has finished: nothing of it may reach the next on its core.</summary>
    internal void ForgetWaits()
    {
        Waits.Clear();
        if (_extras is null) return;
        _extras.Clear();
        if (IsInterrupted) DropInterrupt();
    }

    private void DropInterrupt() => ReleaseInterrupt().Dispose();

    private NewRef ReleaseInterrupt()
    {
        var released = Extras.Interrupt;
        Extras.Interrupt = default;
        IsTold = false;
        _hub.Interrupts--;
        return released;
    }

    /// <summary>Ends the wait that it is parked in, so that its exception is raised.</summary>
    internal void EndWait(WakeCause cause = WakeCause.Interrupted)
    {
        switch (_reason)
        {
            case ParkReason.Operation:
                Occupant!.CancelOperation(this);
                return;
            case ParkReason.Permit:
                Permit.Disarm();
                break;
            case ParkReason.OneFd:
                OneWait.Clear();
                break;
            case ParkReason.Blocked:
                Blocking!.Function.Abandon(Blocking);
                break;
            default:
                Waits.Clear();
                break;
        }

        Wake(cause);
    }

    /// <summary>An operation on another thread is done: the token is the serial of the wait.</summary>
    void IInboxReceiver.Receive(object? payload, long token) => TryWake(token, WakeCause.Completed);

    internal (HubCall? Continuation, WakeCause Cause) TakeContinuation()
    {
        var taken = (Continuation, Cause);
        Continuation = null;
        Cause = WakeCause.None;
        return taken;
    }
}
