using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub.Blocking;
using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub;

/// <summary>
/// The scheduler: runs green threads on the hub thread, one at a time, until <see cref="Stop"/>.
/// <para>
/// A pass: deliver the inbox, fire due timers, perhaps poll the file descriptors, then resume each green thread that was ready when the pass began. What becomes ready
/// meanwhile waits for the next pass, so neither I/O nor a neighbour can be starved by a green thread that yields in a loop. With nothing ready the hub releases the GIL
/// and sleeps in epoll.
/// </para>
/// <para>
/// Invariant: the GIL is held everywhere here except inside the sleep. Green threads are only resumed with their own Python state in. All members belong to the hub
/// thread unless they say otherwise.
/// </para>
/// </summary>
public sealed partial class HubLoop : IDisposable
{
    // A poll costs one system call, so busy passes share one: at the latest after this many resumes the clock is looked at, and after this long the kernel is asked.
    private const int ResumesPerClockLook = 16;
    private const long PollIntervalNanoseconds = 200_000;
    private const int EventsPerPoll = 256;

    // Fewer fit into a core's own caches with all that a switch touches.
    private const int ManyReady = 2000;

    private readonly GreenSwitch _switch;
    private readonly ThreadStateSwap _state;
    private readonly IClock _clock;
    private readonly ILogger _log;
    private readonly Epoll _epoll = new();
    private readonly EventFd _wakeUp = new();
    private readonly FdTable _fds;
    private readonly GreenRoster _roster;
    private readonly ReadyQueue _ready;
    private readonly EpollEvent[] _events = new EpollEvent[EventsPerPoll];
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private int _resumesSinceLook;
    private long _lastPoll;
    private bool _stopping;

    private const ulong WakeUpData = ulong.MaxValue; // No fd has this number, so its events are told from all others.

    /// <param name="greenSwitch">Its cores become green threads.</param>
    /// <param name="state">With as many states.</param>
    /// <param name="calls">What green threads can ask for.</param>
    /// <param name="clock">The time for all waits.</param>
    /// <param name="log">For faults of hub calls.</param>
    /// <param name="requestCores">How many of the cores, from the first, run requests; null: all. The others are spawn cores.</param>
    public HubLoop(GreenSwitch greenSwitch, ThreadStateSwap state, HubCallTable calls, IClock clock, ILogger log, int? requestCores = null)
    {
        (_switch, _state, Calls, _clock, _log) = (greenSwitch, state, calls, clock, log);
        _fds = new FdTable(_epoll);
        Inbox = new Inbox(_wakeUp.SignalSoon);
        _roster = new GreenRoster([.. greenSwitch.Cores.Select(core => new GreenThread(this, core, _fds, Timers, clock))], requestCores ?? greenSwitch.Cores.Count);
        _ready = new ReadyQueue(_roster.All.Count);
        var error = _epoll.Add(_wakeUp.Fd, EpollEvents.In | EpollEvents.EdgeTriggered, WakeUpData);
        if (error != 0) throw new LinuxException("epoll_ctl(eventfd)", error);
    }

    /// <summary>The door for other threads.</summary>
    public Inbox Inbox { get; }

    public TimerHeap Timers { get; } = new();

    internal FdTable Fds => _fds;

    public HubCallTable Calls { get; }

    /// <summary>By number: request cores, then spawn cores. Any thread with the GIL, as the hub changes what they say only with it.</summary>
    public IReadOnlyList<GreenThread> Greens => _roster.All;

    /// <summary>Free request cores.</summary>
    public int FreeCores => _roster.FreeOf(CoreKind.Request);

    /// <summary>Called whenever a request core is free again.</summary>
    public Action? CoreFreed { get; set; }

    /// <summary>Free cores of a kind. Any thread with the GIL.</summary>
    public int FreeOf(CoreKind kind) => _roster.FreeOf(kind);

    public int CountOf(CoreKind kind) => _roster.CountOf(kind);

    /// <summary>The green thread that is on the CPU, or whose hub call is being served; null on the hub's own account.</summary>
    public GreenThread? Current { get; private set; }

    /// <summary>Address of the trampoline's word that says which core runs; for <see cref="HiddenCore"/>.</summary>
    public nint RunningCell => _switch.RunningCell;

    /// <summary>True while <see cref="Run"/> runs: waiting on the main stack would now stop every green thread.</summary>
    public bool IsServing { get; private set; }

    /// <summary>Green threads in which an exception waits to be raised.</summary>
    internal int Interrupts { get; set; }

    /// <summary>Number of times that green threads were resumed.</summary>
    public long Resumes { get; private set; }

    /// <summary>Gives each core a word of a C library of its own (<see cref="ThreadStateSwap.ShareOut"/>).</summary>
    public bool ShareOut(nint address, nint fresh)
    {
        AssertHubThread();
        return _state.ShareOut(address, fresh);
    }

    /// <summary>True on the hub thread. Any thread may ask.</summary>
    public bool IsHubThread => Environment.CurrentManagedThreadId == _thread;

    /// <summary>
    /// Starts a green thread on a free core; false when there is none. It first runs in the next pass.
    /// </summary>
    /// <param name="occupant">Hears of its end.</param>
    /// <param name="callable">Python callable without arguments; borrowed, must outlive the green thread.</param>
    /// <param name="kind">On which kind of core.</param>
    public bool TrySpawn(IGreenOccupant occupant, BorrowedRef callable, CoreKind kind = CoreKind.Request)
    {
        AssertHubThread();
        if (_roster.Take(kind) is not { } green) return false;

        // Only when it must: a finalizer that runs while another green thread is being taken down may spawn, and that one's state has to stay in.
        if (_state.Active == green.Number) _state.Activate(ThreadStateSwap.Hub);
        _state.Renew(green.Number);
        _switch.Prepare(green.Core, callable.Address);
        green.Occupant = occupant;
        green.Switches = 0;
        MakeReady(green);
        return true;
    }

    /// <summary>The green thread of that <see cref="GreenThread.Id"/>, while it has not finished. Any thread with the GIL.</summary>
    public GreenThread? Find(long id) => _roster.Find(id);

    /// <summary>The Python frame in which a green thread is; NULL before and after its life. Any thread with the GIL. Runs no Python code.</summary>
    public NewRef FrameOf(GreenThread green) => green.IsAlive ? _state.PeekFrame(green.Number) : default;

    /// <summary>Any thread. The loop ends before its next pass; green threads that are parked stay where they are for ever.</summary>
    public void Stop() => Inbox.Post(new StopMessage(this), null, 0);

    /// <summary>Runs passes until <see cref="Stop"/>. The caller holds the GIL and gets it back.</summary>
    public void Run()
    {
        AssertHubThread();
        IsServing = true;
        OpenDoor();
        while (!_stopping)
        {
            RunPass();
            if (ForkedChild.IsOne) ForkedChild.End();
            if (_ready.Count > 0 || _stopping) continue;
            if (SignalRelay.HasArrived) RunSignalHandlers();
            else Sleep();
        }

        CloseDoor();
        _state.Activate(ThreadStateSwap.Hub);
        IsServing = false;
    }

    public void Dispose()
    {
        _wakeUp.Dispose();
        _epoll.Dispose();
    }

    /// <summary>One pass, without the sleep at its end. Not private, so that tests can step the loop.</summary>
    internal void RunPass()
    {
        if (!Inbox.IsEmpty)
        {
            _state.Activate(ThreadStateSwap.Hub);
            Inbox.Deliver();
        }

        if (_blocking is { HasReleases: true }) _blocking.DeliverReleases();
        LookAtClock();
        RunBatch();
    }

    internal GreenExtras NewExtras(GreenThread green) => new(green, _fds, Timers, _clock);

    internal void MakeReady(GreenThread green)
    {
        green.Status = GreenStatus.Ready;
        _ready.Enqueue(green);
    }

    private void LookAtClock()
    {
        if (_ready.Count > 0 && _resumesSinceLook < ResumesPerClockLook) return;
        _resumesSinceLook = 0;
        var now = _clock.Now;
        if (_lastPoll == long.MinValue) _lastPoll = now;
        if (Timers.NextDue <= now) Timers.FireDue(now);
        if (_ready.Count > 0 && now - _lastPoll >= PollIntervalNanoseconds) Poll(0, now);
    }

    private void RunBatch()
    {
        var batch = _ready.Count;
        _resumesSinceLook += batch;
        if (batch >= ManyReady) RunLargeBatch(batch);
        else for (; batch > 0; batch--) Step(_ready.Dequeue());
    }

    private void Sleep()
    {
        _state.Activate(ThreadStateSwap.Hub);
        if (_mustLookForSignals) LookForSignals();
        if (!Inbox.TryPrepareSleep() || !TryPrepareBlockingSleep()) return;
        var now = _clock.Now;
        var timeout = Timers.NextDue == long.MaxValue ? -1 : Math.Max(0, Timers.NextDue - now);
        var saved = CApi.PyEval_SaveThread();
        int count;
        try
        {
            count = _epoll.Wait(_events, timeout);
        }
        finally
        {
            CApi.PyEval_RestoreThread(saved);
            Inbox.EndSleep();
            _blocking?.EndSleep();
        }

        _lastPoll = long.MinValue; // just now; the next look at the clock puts the time in
        _resumesSinceLook = ResumesPerClockLook;
        Dispatch(count);
    }

    private void Poll(long timeout, long now)
    {
        _lastPoll = now;
        Dispatch(_epoll.Wait(_events, timeout));
    }

    private void Dispatch(int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (_events[i].Data != WakeUpData) _fds.Dispatch(_events[i]);
        }
    }

    private void Step(GreenThread green)
    {
        if (green.Status != GreenStatus.Ready) throw new HubInvariantException($"green thread {green.Number} is in the ready queue while {green.Status}");
        green.Status = GreenStatus.Running;
        Current = green;
        _state.Activate(green.Number);
        // The counter is at hand and nearly always 0; the green thread's own mark is not.
        if (Interrupts > 0 && green.IsInterrupted) RaiseInterrupt(green);
        if (green.Continuation is null || Continue(green)) Resume(green);
        Current = null;
    }

    private void Resume(GreenThread green)
    {
        while (true)
        {
            // A handler may have put another state in (spawning does); nothing may come between this and the switch.
            Resumes++;
            _state.Activate(green.Number);
            if (green.LeavesBlocking) LeaveBlocking(green);
            var arrival = _switch.Enter(green.Core);
            if (arrival == Arrival.NativeCall) arrival = ServeBlocking(green);
            if (arrival <= Arrival.Finished)
            {
                if (arrival == Arrival.Finished) Exit(green);
                return;
            }

            if (!Settle(green, Serve(green))) return;
        }
    }

    /// <summary>
    /// The hub call in which it left the CPU ends with the exception instead of its result. Not when it has not begun, and not when an operation is done that has its own
    /// continuation: that one, or the next wait, hears of it.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)] // rare, and Step is not
    private static void RaiseInterrupt(GreenThread green)
    {
        // An exception cannot pass through C: there the wait ends with some answer, and the exception comes after it.
        if (green.Continuation is BlockingCalls) return;
        if (!green.HasCalled || (green.Continuation is not null && green.Cause != WakeCause.Interrupted)) return;
        green.TakeContinuation();
        var answer = new NewRef(green.Result);
        green.Result = 0;
        var interrupt = green.TakeInterrupt()!;
        answer.Dispose(); // may run finalizers, which must not find an error pending
        interrupt.Raise();
    }

    private CallOutcome Serve(GreenThread green)
    {
        var call = Calls[HubCallFunctions.NumberOf(green.Core.Self)];
        try
        {
            var arguments = green.Arguments;
            call.CheckArity(arguments);
            return call.Invoke(green, arguments);
        }
        catch (Exception error) when (error is not HubInvariantException)
        {
            return Failed(green, call, error);
        }
    }

    private bool Continue(GreenThread green)
    {
        var (call, cause) = green.TakeContinuation();
        CallOutcome outcome;
        try
        {
            outcome = call!.Continue(green, cause);
        }
        catch (Exception error) when (error is not HubInvariantException)
        {
            outcome = Failed(green, call!, error);
        }

        return Settle(green, outcome);
    }

    /// <summary>Acts on an outcome; true when the green thread goes on at once.</summary>
    private bool Settle(GreenThread green, CallOutcome outcome)
    {
        // Park goes with a park, and nothing else does. (It may have been woken again already, and then is Ready.)
        if (outcome == CallOutcome.Park == (green.Status == GreenStatus.Running)) throw Contradiction(green, outcome);
        if (outcome == CallOutcome.Resume) return true;

        // It was interrupted while it ran, by itself or by a finalizer: this is the next wait.
        if (Interrupts > 0 && green is { Status: GreenStatus.Parked, ShallEndWait: true }) green.EndWait();
        if (green.Switches++ == 0) green.Occupant!.LeftCpu(green);
        if (outcome == CallOutcome.Yield) MakeReady(green);
        return false;
    }

    private void Exit(GreenThread green)
    {
        var result = green.Result;
        green.Status = GreenStatus.Ending;
        green.ForgetWaits();
        var occupant = green.Occupant ?? throw new HubInvariantException($"green thread {green.Number} finished without an occupant");
        occupant.Exited(green, result);
        _state.TakeHandledException().Dispose();
        green.ReleaseKept();
        ReleaseContext();
        green.Occupant = null;
        green.Status = GreenStatus.Free;
        _roster.Return(green);
        if (_roster.KindOf(green) == CoreKind.Request) CoreFreed?.Invoke();
    }

    // Releasing values runs their finalizers, and one that sets a ContextVar makes a new context: that one must go, too.
    private void ReleaseContext()
    {
        const int Rounds = 8; // a finalizer that does it again and again loses a reference in the end, not the worker
        for (var round = 0; round < Rounds; round++)
        {
            using var context = _state.TakeContext();
            if (context.IsNull) return;
        }
    }

    private void AssertHubThread()
    {
        if (!IsHubThread) throw new HubInvariantException("a hub method was called from another thread; use the inbox");
    }

    private sealed class StopMessage(HubLoop hub) : IInboxReceiver
    {
        public void Receive(object? payload, long token) => hub._stopping = true;
    }
}
