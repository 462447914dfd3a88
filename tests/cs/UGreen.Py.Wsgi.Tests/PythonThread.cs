using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.CPython;
using UGreen.Py.Hub;
using UGreen.Py.Hub.Tests;
using UGreen.Py.Switching;
using UGreen.Py.Testing;
using Xunit;

namespace UGreen.Py.Wsgi.Tests;

/// <summary>The one CPython of this test process, and the one application side on it: the shim keeps the hub calls that it was first given.</summary>
public sealed class PythonThread() : InterpreterThread(GreenStacks.ReserveBytes(Cores, StackPages))
{
    public const int Cores = 2;
    public const int QueueLimit = 3;

    private const int StackPages = 128;

    // Static as everything that the shim keeps.
    private static readonly FakeControl s_control = new();

    private WsgiHub? _hub;

    /// <summary>Runs a test that serves requests, on the hub thread.</summary>
    internal void Serve(Action<WsgiHub> test) => Run(() =>
    {
        _hub ??= Boot();
        test(_hub);
        _hub.AssertIdle();
    });

    // The order of WsgiWorker.Boot.
    private static WsgiHub Boot()
    {
        var application = Path.Combine(Directory.CreateTempSubdirectory("ugreen-wsgi-").FullName, "app.py");
        File.WriteAllText(application, "def application(environ, start_response): raise AssertionError('no test sends it a request')\n");
        var settings = new WsgiSettings { Applications = [new WsgiMount("", null, application, "application")], Cores = Cores, StackPages = StackPages, QueueLimit = QueueLimit, ShimPath = Path.Combine(AppContext.BaseDirectory, "uwsgi_shim"), Control = s_control };
        var stacks = GreenStacks.Carve(Cores, StackPages);
        var clock = new FakeClock();
        HubLoop? loop = null;
        var fallback = HubCallFallback.Install((number, args) => loop!.ServeOutside(number, args));
        var greenSwitch = GreenSwitch.Create(SwitchKind.Direct, stacks, LibPython.Symbol("PyObject_CallNoArgs"), fallback);
        var state = new ThreadStateSwap(Cores);
        loop = new HubLoop(greenSwitch, state, new HubCallTable(), clock, NullLogger.Instance);
        var side = new WsgiApplication(loop, clock, QueueLimit, NullLogger.Instance);
        var python = new PythonSide(settings, loop, clock, side, new SpawnedThreads(loop, side), NullLoggerFactory.Instance);
        python.RegisterCalls();
        python.Load(greenSwitch.Trampoline);
        return new WsgiHub(loop, state, side, clock, s_control);
    }
}

[CollectionDefinition(Name)]
public sealed class PythonCollection : ICollectionFixture<PythonThread>
{
    public const string Name = "python";
}
