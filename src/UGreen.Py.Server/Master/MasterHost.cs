using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using UGreen.Py.Front.Sockets;
using UGreen.Py.Native;
using UGreen.Py.Server.Hosting;
using UGreen.Py.Server.Logging;
using UGreen.Py.Server.Options;
using UGreen.Py.Server.Process;

namespace UGreen.Py.Server.Master;

/// <summary>
/// The master from start to end: 1. it opens every listening socket, 2. becomes another user where that is asked for, 3. starts workers and what runs beside them, 4. does what
/// comes (signals, words and ends of workers, time) one after the other on one loop, 5. ends when no worker is left.
/// <para>It never touches Python, so nothing that an application does can harm it.</para>
/// </summary>
internal sealed class MasterHost : ISupervisorListener, IDisposable
{
    // How often time is looked at: a harakiri or a drain that is late by this much is not late.
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(1);

    // What was killed is gone in a moment; a process in the kernel's hands cannot be waited for.
    private static readonly TimeSpan LastWait = TimeSpan.FromSeconds(5);

    private readonly ServerOptions _options;
    private readonly LogOutputs _logs;
    private readonly ProcessLife _life;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BlockingCollection<Action> _events = [];
    private readonly MasterSignals _signals;
    private readonly ListenerSet _listeners;
    private readonly Scoreboard _board;
    private readonly Supervisor _supervisor;
    private readonly BesideServer _beside;
    private readonly TouchWatch _touched;
    private readonly CheaperPolicy? _cheaper;
    private string _python = "";
    private bool _isServing;
    private bool _isStopping;

    /// <exception cref="StartupException">It cannot start.</exception>
    /// <exception cref="Front.FrontException">An address cannot be bound.</exception>
    public MasterHost(ServerOptions options, IReadOnlyList<string> arguments, LogOutputs logs, ProcessLife life, TimeProvider time)
    {
        (_options, _logs, _life, _time) = (options, logs, life, time);
        var master = options.Master;
        _logger = logs.Loggers.CreateLogger(MasterLog.Category);
        if (master.ImpliedBy is { } option) MasterLog.Implied(_logger, option);
        _signals = new MasterSignals(Post) { Stop = Stop, StopAtOnce = StopAtOnce, Stray = signal => ServerLog.Stray(_logger, signal), Reload = () => _supervisor!.Reload("SIGHUP"), Reopen = Reopen };
        _signals.Register();
        _listeners = ListenerSet.OpenAsync(FrontSettings.Of(options, null)).GetAwaiter().GetResult();
        try
        {
            life.SocketsOpened();
            // While workers replace others there are twice as many; two more for those that a reload leaves draining.
            var layout = new ScoreboardLayout(master.Workers, (2 * master.Workers) + 2, options.Cores);
            if (layout.Bytes > int.MaxValue)
                throw new StartupException(string.Create(CultureInfo.InvariantCulture, $"--processes {master.Workers} with --async {options.Cores}: to show what each core does takes {layout.Bytes >> 20} MB of memory, and there are at most {int.MaxValue >> 20}"));
            _board = Scoreboard.Create(layout);
            _supervisor = new Supervisor(Settings(options), Launcher(arguments), this, time, _logger);
            _beside = new BesideServer(master, time, _logger, Post);
            _touched = new TouchWatch(master.TouchReload) { Closed = (file, why) => MasterLog.NotLookedAt(_logger, file, why) };
            _cheaper = master.Cheaper is { } fewest ? new CheaperPolicy(fewest, master.Workers, master.CheaperStep, master.CheaperOverload) : null;
        }
        catch
        {
            _listeners.Dispose();
            throw;
        }
    }

    /// <summary>Why the first worker could not start, as it said; null: it could, or said nothing.</summary>
    public string? StartFailure { get; private set; }

    /// <returns>The exit code.</returns>
    public int Run()
    {
        _beside.Start();
        _supervisor.Start();
        var slowAt = _time.GetTimestamp();
        while (_supervisor.ExitCode is null)
        {
            if (_events.TryTake(out var work, Pace)) work();
            _supervisor.Tick();
            KillOverdue();
            if (_time.GetElapsedTime(slowAt) is var passed && passed < Slow) continue;
            slowAt = _time.GetTimestamp();
            TickSlowly(passed);
        }

        Finish();
        return _supervisor.ExitCode.Value;
    }

    public void Dispose()
    {
        _signals.Dispose();
        // Removes the files of unix sockets.
        _listeners.Dispose();
        _events.Dispose();
    }

    void ISupervisorListener.Serving()
    {
        _isServing = true;
        _signals.BeginGraceful();
        if (_options.LogLevel != LogLevel.None)
        {
            if (_options.LogLevel <= LogLevel.Information) _logs.Announcements.Write(StartBlock.Build(_options, _python, Environment.ProcessId));
            _logs.Announcements.Write(StartBlock.Listening(_listeners.Addresses));
            _logs.Announcements.Flush();
        }

        _logs.ReleaseTerminal();
        _life.Serving(IsHealthyAsync);
    }

    void ISupervisorListener.ReloadBegan() => _life.Notifier.Reloading(_time.GetElapsedTime(0, _time.GetTimestamp()));

    void ISupervisorListener.ReloadEnded(bool succeeded) => _life.Notifier.Ready(succeeded ? $"serving {_options.Application}" : "the last reload failed; the old workers go on");

    void ISupervisorListener.LeaderIs(int row) => _board.Leader = row;

    string ISupervisorListener.RunningIn(int row) => string.Join(", ", _board.Running(row));

    void ISupervisorListener.StateOf(WorkerLife life) => _board.SetState(life.Process.Row, life.State);

    void ISupervisorListener.Gone(WorkerLife life) => _board.Release(life.Process.Row);

    private static SupervisorSettings Settings(ServerOptions options) => new()
    {
        Workers = options.Master.Workers,
        Initial = options.Master.Initial,
        Mercy = options.ShutdownTimeout,
        MinLifetime = options.Master.MinLifetime,
        Lifetime = options.Master.Lifetime,
        LifetimeDelta = options.Master.LifetimeDelta,
        SurvivesFailedStart = options.Master.Autoreload is not null,
    };

    private WorkerLauncher Launcher(IReadOnlyList<string> arguments)
    {
        var common = new WorkerOrder
        {
            Arguments = arguments,
            Other = _options.Configuration.Other,
            Passed = Surroundings.Real.PassedSockets,
            MasterPid = Environment.ProcessId,
            Layout = _board.Layout,
            Worker = 0, Row = 0, ScoreboardFd = 0, LockFd = 0, Listeners = [],
        };
        var locks = SharedMemory.Create("ugreen-locks", Environment.SystemPageSize);
        return new WorkerLauncher(common, _board, locks, _listeners.Descriptors, _options.Process)
        {
            Post = Post,
            Host = PythonHost.For(_options),
            Time = _time,
            Said = Said,
            Broke = (worker, how) => _supervisor.Unheard(worker.Pid, how),
            Ended = (worker, status) => _supervisor.Exited(worker.Pid, status),
            Respawns = worker => _supervisor.RespawnsOf(worker),
            IsReload = () => _supervisor.HasReloaded,
        };
    }

    /// <summary>Any thread.</summary>
    private void Post(Action work)
    {
        try
        {
            _events.Add(work);
        }
        catch (ObjectDisposedException)
        {
            // The server has ended; so has what this is about.
        }
    }

    private void Said(WorkerProcess worker, WorkerMessage message)
    {
        switch (message)
        {
            case WorkerMessage.Ready ready:
                _python = ready.Python;
                _supervisor.Ready(worker.Pid);
                break;
            case WorkerMessage.Failed failed:
                if (!_isServing) StartFailure = failed.Why;
                _supervisor.Failed(worker.Pid, failed.Why);
                break;
            case WorkerMessage.Leaving:
                _supervisor.Leaving(worker.Pid, "SIGTERM");
                break;
            case WorkerMessage.RequestsServed:
                _supervisor.Recycle(worker.Pid, "it has served as many requests as --max-requests allows");
                break;
            case WorkerMessage.Reload reload:
                _supervisor.ReloadOnce(reload.Reason);
                break;
            case WorkerMessage.SourceChanged changed:
                // Each worker sees it, and those that are being replaced for it need not say so again.
                if (!_supervisor.IsToBeReloaded(worker.Pid)) _supervisor.ReloadOnce($"changed: {changed.File}");
                break;
            case WorkerMessage.Overflowed overflowed:
                _supervisor.LastWords(worker.Pid, overflowed.Line);
                break;
            case WorkerMessage.Stop stop:
                if (!_isStopping) Stop(stop.Reason);
                break;
            case WorkerMessage.Signal signal:
                Forward(worker, signal.Number, signal.Worker);
                break;
        }
    }

    private void Forward(WorkerProcess from, byte number, int worker)
    {
        foreach (var life in _supervisor.Lives)
        {
            if (life.State != WorkerState.Ready || life.Process is not WorkerProcess process) continue;
            if (worker == 0 ? process != from : life.Worker == worker) process.Signal(number);
        }
    }

    private void TickSlowly(TimeSpan passed)
    {
        _board.Renew();
        _beside.Tick();
        if (_touched.Changed() is { } file) _supervisor.Reload($"{file} was touched");
        if (_options.Master.ReloadOnRss is { } most)
        {
            foreach (var life in _supervisor.Lives.Where(l => l.State == WorkerState.Ready))
            {
                var bytes = ProcessMemory.Of(life.Process.Pid).Resident;
                if (bytes > most) _supervisor.Recycle(life.Process.Pid, string.Create(CultureInfo.InvariantCulture, $"it takes {bytes >> 20} MB of memory, --reload-on-rss allows {most >> 20}"));
            }
        }

        if (_cheaper is not null && _isServing) Scale(_cheaper, passed);
    }

    private void Scale(CheaperPolicy cheaper, TimeSpan passed)
    {
        var before = _supervisor.Wanted;
        var busy = _supervisor.Lives.Where(l => l.State == WorkerState.Ready).Sum(l => _board.Busy(l.Process.Row));
        var wanted = cheaper.Decide(busy, _options.Cores, before, passed);
        if (wanted == before) return;
        MasterLog.Scaled(_logger, wanted, before, 100.0 * busy / (_options.Cores * before));
        _supervisor.SetWanted(wanted);
    }

    private void KillOverdue()
    {
        foreach (var life in _supervisor.Lives)
        {
            if (life.State == WorkerState.Starting || life.KilledBecause is not null || _board.Overdue(life.Process.Row) is not { } request) continue;
            MasterLog.Harakiri(_logger, life.Worker, life.Process.Pid, request.ToString());
            Supervisor.Kill(life, "harakiri");
        }
    }

    private void Stop(string reason)
    {
        _isStopping = true;
        _life.Stopping();
        _board.IsStopping = true;
        _beside.Stop(atOnce: false);
        _supervisor.Stop(reason);
    }

    private void StopAtOnce(string reason, int code)
    {
        _beside.Stop(atOnce: true);
        _supervisor.StopAtOnce(reason, code);
    }

    private void Reopen()
    {
        const int usr1 = 10;
        _logs.Reopen(_logger);
        foreach (var life in _supervisor.Lives) ((WorkerProcess)life.Process).Kill(usr1);
    }

    private Task<bool> IsHealthyAsync()
    {
        // The loop runs, and somebody serves.
        var answer = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() => answer.SetResult(_supervisor.Lives.Any(l => l.State != WorkerState.Starting)));
        return answer.Task;
    }

    /// <summary>Nothing that was started is left behind.</summary>
    private void Finish()
    {
        _beside.Stop(atOnce: false);
        var begun = _time.GetTimestamp();
        var isKilled = false;
        while ((_supervisor.Lives.Count > 0 || _beside.Running > 0) && _time.GetElapsedTime(begun) < LastWait)
        {
            if (_events.TryTake(out var work, Pace)) work();
            if (isKilled || _time.GetElapsedTime(begun) < LastWait / 2) continue;
            isKilled = true;
            _beside.Stop(atOnce: true);
        }

        if (_isServing && _supervisor.ExitCode == ExitCode.Success) MasterLog.Stopped(_logger);
    }
}
