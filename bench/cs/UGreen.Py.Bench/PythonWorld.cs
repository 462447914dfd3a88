using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.CPython;
using UGreen.Py.Hub;
using UGreen.Py.Switching;
using UGreen.Py.Testing;
using UGreen.Py.Wsgi;
using UGreen.Py.Wsgi.Harakiri;

namespace UGreen.Py.Bench;

/// <summary>
/// The application side of a server without a front, in the order of WsgiWorker.Boot: CPython, the hub, the uwsgi module, an application. One per process, because a process
/// has one CPython; the classes that need it share it. All but <see cref="Run"/> belongs to its hub thread.
/// </summary>
internal sealed class PythonWorld
{
    public const int Cores = 30;

    private const int QueueLimit = 100;
    private static readonly Lazy<PythonWorld> s_instance = new(() => new PythonWorld());

    private readonly HubThread _thread;
    private ThreadStateSwap _state = null!;

    private PythonWorld()
    {
        var root = Root();
        var settings = new WsgiSettings
        {
            Applications = [new WsgiMount("", null, Path.Combine(root, "bench", "limits", "hello.py"), "application")],
            Cores = Cores,
            QueueLimit = QueueLimit,
            ShimPath = Path.Combine(root, "python", "uwsgi_shim"),
        };
        _thread = new HubThread(GreenStacks.ReserveBytes(settings.Stacks));
        _thread.Run(() => Boot(settings));
    }

    public static PythonWorld Instance => s_instance.Value;

    public HubLoop Hub { get; private set; } = null!;

    public WsgiApplication Application { get; private set; } = null!;

    /// <summary>A namespace of Python's for the benchmarks.</summary>
    public InterpreterScope Scope { get; private set; } = null!;

    /// <summary>Runs a loop on the hub thread and waits for its end. Any thread.</summary>
    public void Run(Action loop) => _thread.Run(loop);

    /// <summary>Runs a Python function without arguments on a green thread of its own, to its end, with as many passes of the hub as that takes.</summary>
    public void RunGreen(BorrowedRef function)
    {
        var occupant = new LoopOccupant();
        if (!Hub.TrySpawn(occupant, function)) throw new InvalidOperationException("no core is free");
        while (!occupant.HasEnded) Hub.RunPass();
        _state.Activate(ThreadStateSwap.Hub);
        if (occupant.Error is { } error) throw error;
    }

    /// <summary>Passes of the hub until no request runs.</summary>
    public void RunRequests()
    {
        do Hub.RunPass();
        while (Hub.FreeCores < Cores);
    }

    private void Boot(WsgiSettings settings)
    {
        Interpreter.Start(PythonLocator.Find(null, null));
        var stacks = GreenStacks.Carve(settings.Stacks);
        var clock = new SystemClock();
        var log = NullLogger.Instance;
        HubLoop? hub = null;
        var fallback = HubCallFallback.Install((number, args) => hub!.ServeOutside(number, args));
        var greenSwitch = GreenSwitch.Create(settings.Switch, stacks, LibPython.Symbol("PyObject_CallNoArgs"), fallback);
        _state = new ThreadStateSwap(stacks.Count);
        Hub = hub = new HubLoop(greenSwitch, _state, new HubCallTable(), clock, log, settings.Cores);
        Application = new WsgiApplication(hub, clock, QueueLimit, log);
        Application.Harakiri = new HarakiriWatch(settings, hub, clock, log);
        var python = new PythonSide(settings, hub, clock, Application, new SpawnedThreads(hub, Application), NullLoggerFactory.Instance);
        python.RegisterCalls();
        python.Load(greenSwitch.Trampoline);
        Scope = new InterpreterScope();
    }

    private static string Root()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "UGreen.Py.sln"))) return folder;
        }

        throw new InvalidOperationException("no UGreen.Py.sln in any folder above the benchmarks");
    }
}
