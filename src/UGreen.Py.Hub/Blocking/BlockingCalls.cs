using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.Machine;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// Calls of the C library that wait, of all green threads: the table of functions, those who wait for a lock, and the way on after a wait. Hub thread.
/// <para>It is the continuation of every such wait. It has no name in Python.</para>
/// </summary>
internal sealed partial class BlockingCalls : HubCall
{
    private readonly HubLoop _hub;
    private readonly IClock _clock;
    private readonly ILogger _log;
    private readonly PreloadedStubs _stubs;
    private readonly BlockingFunction[] _functions;
    private long _begun;
    private readonly OpenSslWatch _openSsl = new();
    private readonly nint[] _released = new nint[PreloadedStubs.MostReleases];

    public BlockingCalls(HubLoop hub, PreloadedStubs stubs, IClock clock, ILogger log, int threads)
        : base("(a function of the C library)", "", Arity.None)
    {
        (_hub, _stubs, _clock, _log) = (hub, stubs, clock, log);
        Semaphores = new LockWaiters(static (address, _) => Native.Libc.sem_trywait(address), stubs.AddSemWaiter, hub.FirstIdNow);
        Mutexes = new LockWaiters(static (address, wait) => Native.RecursiveMutex.TryTake(address, wait.Green.Identity), stubs.AddMutexWaiter, hub.FirstIdNow);
        Conditions = new ConditionWaiters(stubs.AddConditionWaiter);
        Pool = new BlockingPool(hub.Inbox, threads);
        _functions = BlockingTable.For(BlockingCall.All, stubs);
        hub.Fds.Watch = Watch;
    }

    public LockWaiters Semaphores { get; }

    public LockWaiters Mutexes { get; }

    public ConditionWaiters Conditions { get; }

    public BlockingPool Pool { get; }

    public TimerHeap Timers => _hub.Timers;

    public long Now => _clock.Now;

    /// <summary>Some lock was released since the last <see cref="DeliverReleases"/>.</summary>
    public bool HasReleases => _stubs.HasReleases;

    /// <summary>How often each function has waited.</summary>
    public IEnumerable<(string Name, long Count)> Counts => _functions.Where(f => f.Count > 0).Select(f => (f.Name, f.Count));

    /// <summary>The hub is about to sleep. False: something was released.</summary>
    public bool TryPrepareSleep() => _stubs.TryPrepareSleep();

    public void EndSleep() => _stubs.EndSleep();

    /// <summary>Gives released locks to those who wait for them, and wakes those whose condition variables were signalled or whose descriptors were closed.</summary>
    public void DeliverReleases()
    {
        var count = _stubs.TakeReleased(_released);
        if (count < 0)
        {
            Semaphores.GrantAll();
            Mutexes.GrantAll();
            Conditions.WakeAll();
            _hub.Fds.LookForClosed();
            return;
        }

        foreach (var address in _released.AsSpan(0, count))
        {
            if (PreloadedStubs.IsClose(address, out var fd))
            {
                _hub.Fds.Closed(fd);
                continue;
            }

            Semaphores.Grant(address);
            Mutexes.Grant(address);
            Conditions.Signal(address & ~PreloadedStubs.Broadcast, (address & PreloadedStubs.Broadcast) != 0);
        }
    }

    // What was closed before concerns those who wait already, not the one that begins.
    private void Watch(int fd)
    {
        if (HasReleases) DeliverReleases();
        _stubs.Watch(fd);
    }

    /// <summary>Answers a call that need not wait. The GIL may be anybody's.</summary>
    public bool TryAtOnce(GreenThread green)
    {
        var call = GreenSwitch.NativeCallOf(green.Core);

        // The stub (x64-tries.s) has looked a moment ago, and there is time; what came since is an event.
        if (BlockingCall.All[call.Number].Try is FirstTry.Poll or FirstTry.EpollWait) return false;
        if (!_functions[call.Number].TryAtOnce(call, out var answer)) return false;
        green.Result = answer.Result;
        if (answer.Errno is { } errno) call.Errno = errno;
        return true;
    }

    /// <summary>Begins the wait of the call by which a green thread has come. The GIL is taken.</summary>
    public CallOutcome Begin(GreenThread green, nint threadState)
    {
        var wait = green.Blocking ??= new BlockingWait(green, this);
        var call = GreenSwitch.NativeCallOf(green.Core);
        wait.Begin(call, _functions[call.Number], ++_begun);
        wait.Function.Prepare(wait);
        wait.Handover.Take(threadState);
        wait.Errors = _openSsl.Take();
        wait.Function.Count++;
        if (green.IsInterrupted && !green.IsTold && wait.Function.CanEndSoftly) return EndSoftly(wait);
        CallOutcome outcome;
        try
        {
            outcome = wait.Function.Begin(wait);
        }
        catch (Exception error) when (error is not HubInvariantException)
        {
            outcome = Failed(wait, error);
        }

        if (outcome == CallOutcome.Resume) wait.Disarm();
        return outcome;
    }

    /// <inheritdoc/>
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args) => throw HubCallException.System(Name);

    /// <inheritdoc/>
    public override CallOutcome Continue(GreenThread green, WakeCause cause)
    {
        var wait = green.Blocking!;
        green.LeavesBlocking = true;
        if (cause is WakeCause.Interrupted or WakeCause.Signal) return EndSoftly(wait, cause);
        CallOutcome outcome;
        try
        {
            outcome = cause == WakeCause.Closed ? wait.Function.Closed(wait) : wait.Function.Continue(wait, cause);
        }
        catch (Exception error) when (error is not HubInvariantException)
        {
            outcome = Failed(wait, error);
        }

        if (outcome == CallOutcome.Resume) wait.Disarm();
        else green.LeavesBlocking = false;
        return outcome;
    }

    /// <summary>Describes what a green thread waits for; null: not for a call of the C library.</summary>
    public static string? Describe(GreenThread green)
        => green is { Continuation: BlockingCalls, Blocking: { } wait } ? wait.Function.Describe(wait.Call) : null;

    /// <summary>The lock for which a green thread waits; null: for none.</summary>
    public static LockWait? LockWaitOf(GreenThread green)
        => green is { Status: GreenStatus.Parked, Continuation: BlockingCalls, Blocking: { Function: LockCall call } wait } ? call.Wait(wait) : null;

    /// <summary>
    /// Interrupts the call that was begun last, if any can be: a handler of Python's for a signal then runs in that green thread, as in a thread whose call is interrupted, and what it raises
    /// is raised there.
    /// </summary>
    public static bool Interrupt(IReadOnlyList<GreenThread> greens)
    {
        GreenThread? last = null;
        foreach (var green in greens)
        {
            if (green is { Status: GreenStatus.Parked, Continuation: BlockingCalls, Blocking.Function.CanEndSoftly: true } && (last is null || green.Blocking.Number > last.Blocking!.Number)) last = green;
        }

        last?.EndWait(WakeCause.Signal);
        return last is not null;
    }

    private static CallOutcome EndSoftly(BlockingWait wait, WakeCause cause = WakeCause.Interrupted)
    {
        wait.Function.Abandon(wait);
        wait.Disarm();
        if (cause == WakeCause.Signal) return wait.Answer(wait.Function.Signalled(wait));
        wait.Green.IsTold = true;
        return wait.Answer(wait.Function.EndedSoftly(wait));
    }

    private CallOutcome Failed(BlockingWait wait, Exception error)
    {
        if (wait.Green.Status != GreenStatus.Running) throw new HubInvariantException($"the call of {wait.Function.Name} parked green thread {wait.Green.Number} and then failed: {error.Message}");
        CallFailed(wait.Function.Name, error);
        wait.Function.Abandon(wait);
        wait.Disarm();
        return wait.Answer(BlockingAnswer.Error(Native.Errno.EIO));
    }

    [LoggerMessage(EventId = 780, Level = LogLevel.Error, Message = "waiting in the place of {Name}() failed; the caller gets EIO")]
    private partial void CallFailed(string name, Exception error);
}
