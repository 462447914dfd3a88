using Microsoft.Extensions.Logging;

namespace UGreen.Py.Server.Master;

/// <summary>
/// Decides which worker processes there are: starts them, replaces those that die or are to be replaced, reloads, stops. It touches no process itself and knows no clock but
/// the one it is given, so every rule is a test.
/// <para>Invariants: each live process is in <c>_lives</c> until <see cref="Exited"/> was told of it; a worker that is wanted has a process, or a time at which one is started;
/// while it stops nothing is started.</para>
/// <para>All methods are called on the master's loop.</para>
/// </summary>
internal sealed partial class Supervisor
{
    // What a worker itself takes beyond its mercy: a second for what was cut, one for spawned green threads, two for atexit functions; and one more.
    private static readonly TimeSpan OwnTime = TimeSpan.FromSeconds(5);

    // A worker that dies sooner than this after it was ready is as broken as one that never was: starting it again at once would be a storm.
    private static readonly TimeSpan ShortLife = TimeSpan.FromSeconds(1);

    private readonly SupervisorSettings _settings;
    private readonly IWorkerLauncher _launcher;
    private readonly ISupervisorListener _listener;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WorkerSlot[] _slots;
    private readonly Dictionary<int, WorkerLife> _lives = [];
    private bool _isServing;
    private bool _isStopping;
    private int _leader = -1;

    public Supervisor(SupervisorSettings settings, IWorkerLauncher launcher, ISupervisorListener listener, TimeProvider time, ILogger logger)
    {
        _settings = settings;
        _launcher = launcher;
        _listener = listener;
        _time = time;
        _logger = logger;
        _slots = [.. Enumerable.Range(1, settings.Workers).Select(n => new WorkerSlot(n) { IsWanted = n <= settings.Initial })];
    }

    /// <summary>Null while it runs; then the exit code of the server.</summary>
    public int? ExitCode { get; private set; }

    /// <summary>Workers that are wanted now.</summary>
    public int Wanted => _slots.Count(s => s.IsWanted);

    /// <summary>All live processes.</summary>
    public IReadOnlyCollection<WorkerLife> Lives => _lives.Values;

    /// <summary>Worker number to how often it was started again.</summary>
    public int RespawnsOf(int worker) => _slots[worker - 1].Respawns;

    private TimeSpan Now => _time.GetElapsedTime(0, _time.GetTimestamp());

    /// <summary>Starts the first worker. The others follow when it serves: what is wrong with the application is then told once.</summary>
    public void Start() => FillSlots();

    /// <summary>A worker serves.</summary>
    public void Ready(int pid)
    {
        if (_isStopping || !_lives.TryGetValue(pid, out var life) || life.State != WorkerState.Starting) return;
        life.State = WorkerState.Ready;
        life.ReadyAt = Now;
        if (_settings.Lifetime is { } lifetime) life.RetireAt = Now + lifetime + (_settings.LifetimeDelta * life.Worker);
        _listener.StateOf(life);
        MasterLog.Ready(_logger, life.Worker, pid, (Now - life.Started).TotalSeconds);

        var slot = SlotOf(life);
        slot.WasReady = true;
        var old = slot.Next == life ? Promote(slot) : null;
        if (!_isServing)
        {
            _isServing = true;
            _listener.Serving();
        }

        FillSlots();
        Elect();
        if (old is not null) DrainOrKill(old, "replaced");
        ReloadStepDone(life);
    }

    /// <summary>A worker says why it will end without ever serving.</summary>
    public void Failed(int pid, string message)
    {
        if (!_lives.TryGetValue(pid, out var life) || life.State != WorkerState.Starting) return;
        life.Failure = message;
        // It stays alive in order to see when its sources change; the reload that it was a step of is over now.
        life.IsWaiting = _settings.SurvivesFailedStart;
        if (life.IsWaiting) ReloadStepFailed(SlotOf(life), life, message);
    }

    /// <summary>A worker says what it dies of.</summary>
    public void LastWords(int pid, string words)
    {
        if (_lives.TryGetValue(pid, out var life)) life.LastWords = words;
    }

    /// <summary>A worker drains for a reason of its own, such as a SIGTERM that somebody sent it.</summary>
    public void Leaving(int pid, string reason)
    {
        if (!_lives.TryGetValue(pid, out var life) || life.State != WorkerState.Ready) return;
        MasterLog.Leaving(_logger, life.Worker, pid, reason);
        BeginDraining(life);
        var slot = SlotOf(life);
        if (slot.Current == life)
        {
            slot.Current = slot.Next;
            slot.Next = null;
            JudgeLife(slot, life);
        }

        FillSlots();
        Elect();
    }

    /// <summary>This worker is to be replaced, as soon as it has lived long enough and no other is being replaced.</summary>
    public void Recycle(int pid, string reason)
    {
        if (_lives.TryGetValue(pid, out var life)) life.RecycleReason ??= reason;
    }

    /// <summary>
    /// A worker has broken its channel: whatever it does from now on, the master is not told. One that starts could never say that it serves, so it is killed; another is replaced as
    /// one that has reached a limit, since it can still be told to drain.
    /// </summary>
    /// <param name="pid">The process.</param>
    /// <param name="how">What it did.</param>
    public void Unheard(int pid, string how)
    {
        if (!_lives.TryGetValue(pid, out var life)) return;
        var isStarting = life.State == WorkerState.Starting;
        MasterLog.Unheard(_logger, life.Worker, pid, how, isStarting ? "killed" : life.State == WorkerState.Ready ? "replaced" : "ending anyway");
        if (!isStarting)
        {
            life.RecycleReason ??= "its channel to the master is broken";
            return;
        }

        life.Failure ??= $"its channel to the master broke: {how}";
        if (life.KilledBecause is null) Kill(life, "its channel is broken");
    }

    /// <summary>A process is gone. Told once for each that was launched.</summary>
    public void Exited(int pid, EndStatus status)
    {
        if (!_lives.Remove(pid, out var life)) return;
        // Before the row is given back.
        var running = status.IsClean ? "" : _listener.RunningIn(life.Process.Row);
        var slot = SlotOf(life);
        var wasNext = slot.Next == life;
        var wasCurrent = slot.Current == life;
        if (wasNext) slot.Next = null;
        if (wasCurrent)
        {
            slot.Current = slot.Next;
            slot.Next = null;
        }

        if (_isStopping || !(wasNext || wasCurrent)) Report(life, status, running);
        else if (life.State == WorkerState.Starting) StartFailed(slot, life, status);
        else Died(slot, life, status, running);

        _listener.Gone(life);
        if (_isStopping && _lives.Count == 0) ExitCode ??= Hosting.ExitCode.Success;
        FillSlots();
        Elect();
    }

    /// <summary>How many workers there shall be; the highest numbers go first.</summary>
    public void SetWanted(int count)
    {
        if (_isStopping) return;
        foreach (var slot in _slots)
        {
            slot.IsWanted = slot.Number <= count;
            if (slot.IsWanted) continue;
            slot.RetryAt = null;
            if (slot.Next is { } next) DrainOrKill(next, "cheaper");
            if (slot.Current is { } current) DrainOrKill(current, "cheaper");
            slot.Current = slot.Next = null;
        }

        FillSlots();
        Elect();
        // It was going to replace a worker that is not wanted any more.
        if (_reloadStep?.State == WorkerState.Draining) NextReloadStep();
    }

    /// <summary>Ends everything in an orderly way.</summary>
    public void Stop(string reason)
    {
        if (_isStopping) return;
        _isStopping = true;
        MasterLog.Stopping(_logger, reason, _settings.Mercy.TotalSeconds);
        foreach (var life in _lives.Values) DrainOrKill(life, reason);
        if (_lives.Count == 0) ExitCode ??= Hosting.ExitCode.Success;
    }

    /// <summary>Kills everything.</summary>
    /// <param name="reason">For the log.</param>
    /// <param name="code">The server's exit code.</param>
    public void StopAtOnce(string reason, int code)
    {
        _isStopping = true;
        MasterLog.StoppingAtOnce(_logger, reason);
        ExitCode = code;
        foreach (var life in _lives.Values) Kill(life, reason);
    }

    /// <summary>Does what time makes due. Called several times a second.</summary>
    public void Tick()
    {
        foreach (var life in _lives.Values)
        {
            if (life.State == WorkerState.Draining && life.KilledBecause is null && Now >= life.KillAt)
            {
                MasterLog.KilledLate(_logger, life.Worker, life.Process.Pid, Prefixed(_listener.RunningIn(life.Process.Row)));
                Kill(life, "it did not end in time");
            }

            if (life.State == WorkerState.Ready && Now >= life.RetireAt) life.RecycleReason ??= "it has lived long enough";
        }

        FillSlots();
        RecycleOne();
    }

    /// <summary>Kills a worker that cannot be helped; it is replaced when it is gone.</summary>
    /// <param name="life">A live process.</param>
    /// <param name="because">For the log, as the reason of its death.</param>
    public static void Kill(WorkerLife life, string because)
    {
        life.KilledBecause = because;
        life.Process.Kill();
    }

    private WorkerSlot SlotOf(WorkerLife life) => _slots[life.Worker - 1];

    private static string Prefixed(string running) => running.Length == 0 ? "" : $"; it was running: {running}";

    /// <summary>Each worker that is wanted and has no process gets one, unless it must wait. Before the first one serves nothing else starts.</summary>
    private void FillSlots()
    {
        if (_isStopping) return;
        foreach (var slot in _isServing ? _slots : _slots.AsSpan(0, 1))
        {
            if (slot.IsWanted && slot.Current is null && (slot.RetryAt is null || Now >= slot.RetryAt)) LaunchCurrent(slot);
        }
    }

    private void LaunchCurrent(WorkerSlot slot)
    {
        slot.RetryAt = null;
        slot.Current = Launch(slot);
    }

    private WorkerLife? Launch(WorkerSlot slot)
    {
        // Before, because the launcher shows it.
        if (slot.WasReady) slot.Respawns++;
        try
        {
            var life = new WorkerLife(slot.Number, _launcher.Launch(slot.Number), Now) { Generation = _generation };
            _lives.Add(life.Process.Pid, life);
            _listener.StateOf(life);
            return life;
        }
        catch (WorkerStartException error)
        {
            if (slot.WasReady) slot.Respawns--;
            TryLater(slot, error.Message);
            return null;
        }
    }

    private void StartFailed(WorkerSlot slot, WorkerLife life, EndStatus status)
    {
        var reason = life.Failure ?? $"it ended before it served: {status.Text}";
        if (life.IsWaiting && status.IsClean) SourcesChanged(slot);
        else if (!ReloadStepFailed(slot, life, reason)) TryLater(slot, reason, wasTold: life.Failure is not null);
    }

    /// <summary>A worker that could not be loaded, and only waited for a change of its files, has seen one.</summary>
    private void SourcesChanged(WorkerSlot slot)
    {
        if (slot.Current is null) LaunchCurrent(slot);
        else Reload("a source file has changed");
    }

    private void TryLater(WorkerSlot slot, string reason, bool wasTold = false)
    {
        slot.Failures++;
        if (!_isServing && !_settings.SurvivesFailedStart)
        {
            if (!wasTold) MasterLog.FirstFailed(_logger, reason);
            _isStopping = true;
            ExitCode = Hosting.ExitCode.Failure;
            return;
        }

        var pause = StartBackOff.After(slot.Failures);
        slot.RetryAt = Now + pause;
        MasterLog.CannotStart(_logger, slot.Number, reason, pause.TotalSeconds);
    }

    private void Died(WorkerSlot slot, WorkerLife life, EndStatus status, string running)
    {
        var how = life.KilledBecause is { } because ? $"{status.Text} by the master ({because})" : life.LastWords is { } words ? $"{status.Text} ({words})" : status.Text;
        MasterLog.Died(_logger, life.Worker, life.Process.Pid, how, running.Length == 0 ? "" : $"it was running: {running}; ");
        JudgeLife(slot, life);
    }

    /// <summary>Whether the next process of a worker may start at once.</summary>
    private void JudgeLife(WorkerSlot slot, WorkerLife life)
    {
        if (Now - life.ReadyAt >= ShortLife) (slot.Failures, slot.RetryAt) = (0, null);
        else slot.RetryAt = Now + StartBackOff.After(++slot.Failures);
    }

    private void Report(WorkerLife life, EndStatus status, string running)
    {
        if (status.IsClean) MasterLog.Ended(_logger, life.Worker, life.Process.Pid);
        else if (life.KilledBecause is null) MasterLog.EndedBadly(_logger, life.Worker, life.Process.Pid, status.Text, Prefixed(running));
    }

    private static WorkerLife? Promote(WorkerSlot slot)
    {
        var old = slot.Current;
        slot.Current = slot.Next;
        slot.Next = null;
        slot.Failures = 0;
        return old;
    }

    private void DrainOrKill(WorkerLife life, string reason)
    {
        if (life.State == WorkerState.Starting)
        {
            // It serves nobody, and half a start has nothing to finish.
            Kill(life, reason);
            life.State = WorkerState.Draining;
            return;
        }

        if (life.State != WorkerState.Ready) return;
        BeginDraining(life);
        life.Process.Drain(reason);
    }

    private void BeginDraining(WorkerLife life)
    {
        life.State = WorkerState.Draining;
        life.KillAt = Now + _settings.Mercy + OwnTime;
        _listener.StateOf(life);
    }

    /// <summary>The worker with the lowest number that serves.</summary>
    private void Elect()
    {
        var leader = _slots.Select(s => s.Current).FirstOrDefault(life => life?.State == WorkerState.Ready)?.Process.Row ?? -1;
        if (leader == _leader) return;
        _leader = leader;
        _listener.LeaderIs(leader);
    }
}
