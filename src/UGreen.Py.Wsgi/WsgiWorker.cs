using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Layout;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;
using UGreen.Py.Native;
using UGreen.Py.Switching;
using UGreen.Py.Wsgi.Calls.Server;
using UGreen.Py.Wsgi.Harakiri;

namespace UGreen.Py.Wsgi;

/// <summary>
/// A worker's application side: the hub thread with its Python interpreter, from start to stop. One per process, because a process has one CPython.
/// </summary>
public sealed partial class WsgiWorker : IGatewayApplication
{
    // For the finally blocks of spawned green threads that are ended with the server.
    private static readonly TimeSpan s_killTime = TimeSpan.FromSeconds(1);

    private readonly WsgiSettings _settings;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _log;
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WsgiApplication? _application;
    private SpawnedThreads? _spawned;
    private HubLoop? _hub;
    private BlockingReport? _blockingReport;

    public WsgiWorker(WsgiSettings settings, ILoggerFactory loggers)
    {
        _settings = settings;
        _loggers = loggers;
        _log = loggers.CreateLogger("wsgi");
    }

    /// <summary>"3.11.2"; valid after <see cref="StartAsync"/>.</summary>
    public string PythonVersion { get; private set; } = "";

    /// <summary>Path of the loaded libpython, or of this process's own program; valid after <see cref="StartAsync"/>.</summary>
    public string PythonLibrary { get; private set; } = "";

    /// <summary>Ends when the hub has ended and Python's atexit functions have run; faults when the hub died of a bug of its own.</summary>
    public Task Completion => _completed.Task;

    /// <summary>
    /// Starts the hub thread, Python and the application. The task faults with <see cref="WsgiLoadException"/> when any of that fails; the message is for the user.
    /// </summary>
    public Task StartAsync()
    {
        int reserve;
        try
        {
            reserve = GreenStacks.ReserveBytes(_settings.Stacks);
        }
        catch (StackReservationException error)
        {
            return Task.FromException(new WsgiLoadException(error.Message, inner: error));
        }

        // Not a pool thread: the green stacks are carved out of this thread's own reservation (docs/adr/0006).
        new Thread(HubMain, reserve) { Name = "ugreen hub", IsBackground = true }.Start();
        return _started.Task;
    }

    /// <inheritdoc/>
    public void Submit(GatewayExchange exchange) => _application!.Submit(exchange);

    /// <summary>
    /// Tells the application that the worker is about to end (<c>ugreen.stopping</c>), so that what would run for ever can end by itself. Requests are still taken. Any thread;
    /// a second time changes nothing.
    /// </summary>
    public void BeginDrain() => _hub?.Inbox.Post(new DrainNotice(_log), null, 0);

    /// <summary>
    /// Takes no new requests, waits for the running ones as long as <paramref name="grace"/> says, then ends the hub and runs Python's atexit functions (they share what is
    /// left of the grace period, and get two seconds at least). The interpreter is never finalised; the caller ends the process.
    /// </summary>
    public async Task StopAsync(TimeSpan grace)
    {
        if (_application is not { } application || _hub is not { } hub) return;
        BeginDrain();
        var start = TimeProvider.System.GetTimestamp();
        var sign = RespondsAsync();
        if (!await EndsWithin(application.DrainAsync(), grace).ConfigureAwait(false))
        {
            RequestsCut(grace.TotalSeconds);
            if (!sign.IsCompleted)
            {
                // Whatever comes next would be asked of it, too.
                HubCut();
                return;
            }
        }

        if (!await EndsWithin(_spawned!.KillAllAsync(), s_killTime).ConfigureAwait(false)) SpawnedCut(s_killTime.TotalSeconds);
        hub.Stop();
        var left = grace - TimeProvider.System.GetElapsedTime(start);
        var atLeast = TimeSpan.FromSeconds(2);
        if (!await EndsWithin(_completed.Task, left > atLeast ? left : atLeast).ConfigureAwait(false)) AtExitCut();
    }

    /// <summary>Asks the hub for a sign of life. Ends with true when it has looked into its inbox; not before, so not at all while it hangs. Any thread.</summary>
    public Task<bool> RespondsAsync()
    {
        if (_hub is not { } hub) return Task.FromResult(false);
        var answer = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        hub.Inbox.Post(Responder.Instance, answer, 0);
        return answer.Task;
    }

    private sealed class Responder : IInboxReceiver
    {
        public static Responder Instance { get; } = new();

        public void Receive(object? payload, long token) => ((TaskCompletionSource<bool>)payload!).TrySetResult(true);
    }

    private static async Task<bool> EndsWithin(Task task, TimeSpan time)
    {
        try
        {
            await task.WaitAsync(time).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private void HubMain()
    {
        try
        {
            Boot();
        }
#pragma warning disable CA1031 // the thread's outermost frame: everything becomes the task's fault
        catch (Exception error)
#pragma warning restore CA1031
        {
            _started.TrySetException(error is PythonStartException or UnsupportedPythonException ? new WsgiLoadException(error.Message, inner: error) : error);
            return;
        }

        _started.TrySetResult();
        try
        {
            _hub!.Run();
            _blockingReport?.End();
            RunAtExit();
            _completed.TrySetResult();
        }
#pragma warning disable CA1031
        catch (Exception error)
#pragma warning restore CA1031
        {
            _completed.TrySetException(error);
        }
    }

    private void Boot()
    {
        if (_settings.Chdir is { } folder) ChangeFolder(folder);
        var installation = PythonLocator.Find(_settings.PythonPath, _settings.VirtualEnv);
        PythonLibrary = installation.LibraryPath ?? Environment.ProcessPath ?? installation.ProgramName;
        // Before Python has handlers of its own.
        var signals = SignalActions.Now();
        Interpreter.Start(installation);
        PythonVersion = Interpreter.Version;

        var stacks = GreenStacks.Carve(_settings.Stacks);
        OverflowReport.Install(stacks, _settings.OverflowFd);
        var clock = new SystemClock();
        var calls = new HubCallTable();
        HubLoop? hub = null;
        var fallback = HubCallFallback.Install((number, args) => hub!.ServeOutside(number, args));
        var greenSwitch = GreenSwitch.Create(_settings.Switch, stacks, LibPython.Symbol("PyObject_CallNoArgs"), fallback);
        if (HubCallFunctions.NameOffset != ForkedChild.NameOffset) throw new HubInvariantException("the code for forked children looks for a hub call's name in the wrong place");
        PendingCall.Through(ForkedChild.Guard);
        ForkedChild.Install(greenSwitch, [.. SignalActions.Handlers(signals), OverflowReport.Handler], PyConstants.RuntimeError.Address, LibPython.Symbol("PyErr_Format"));
        var state = new ThreadStateSwap(stacks.Count);
        stacks.ForEach(state.LimitStack);
        state.LimitStack(ThreadStateSwap.Hub, stacks.High, stacks.AboveBytes);
        hub = new HubLoop(greenSwitch, state, calls, clock, _loggers.CreateLogger("hub"), _settings.Cores);
        var osIdent = BlockingSetup.Install(_settings, hub, greenSwitch, stacks, _loggers.CreateLogger("hub"));
        _blockingReport = BlockingReport.Start(() => hub.BlockingCounts, hub.Timers, clock, _loggers.CreateLogger("hub"));
        SignalRelay.Install(signals, hub.WakeFd);
        var application = new WsgiApplication(hub, clock, _settings.QueueLimit, _log, _settings.WsgiStrict) { Board = _settings.Board };
        application.Harakiri = new HarakiriWatch(_settings, hub, clock, _log);
        _spawned = new SpawnedThreads(hub, application);
        var python = new PythonSide(_settings, hub, clock, application, _spawned, _loggers) { OsIdent = osIdent };
        python.RegisterCalls();
        python.Load(greenSwitch.Trampoline);
        new HangWatch(hub, state.ThreadState, clock, _log, new DeadlockWatch(hub, clock, _log), new CallBoard(hub, _settings.Board)).Start();
        (_hub, _application) = (hub, application);
    }

    private static void ChangeFolder(string folder)
    {
        try
        {
            Directory.SetCurrentDirectory(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WsgiLoadException($"--chdir {folder}: {error.Message}", inner: error);
        }
    }

    private void RunAtExit()
    {
        if (PythonFunction.Call("ugreen._boot", "leave") is { } traceback) AtExitFailed(traceback);
    }

    [LoggerMessage(EventId = 240, Level = LogLevel.Warning, Message = "requests or spawned green threads still ran after {Seconds} s and are cut off")]
    private partial void RequestsCut(double seconds);

    [LoggerMessage(EventId = 243, Level = LogLevel.Warning, Message = "spawned green threads did not end within {Seconds} s of being killed and are cut off")]
    private partial void SpawnedCut(double seconds);

    [LoggerMessage(EventId = 241, Level = LogLevel.Warning, Message = "Python's atexit functions did not end in time and are cut off")]
    private partial void AtExitCut();

    [LoggerMessage(EventId = 724, Level = LogLevel.Warning, Message = "the hub hangs and is cut off: neither finally blocks nor Python's atexit functions run")]
    private partial void HubCut();

    [LoggerMessage(EventId = 242, Level = LogLevel.Error, Message = "leaving Python failed\n{Traceback}")]
    private partial void AtExitFailed(string traceback);
}
