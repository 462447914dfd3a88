using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;
using UGreen.Py.Wsgi.Calls;
using UGreen.Py.Wsgi.Calls.Green;
using UGreen.Py.Wsgi.Calls.Pausing;
using UGreen.Py.Wsgi.Calls.Server;
using UGreen.Py.Wsgi.Environ;

namespace UGreen.Py.Wsgi;

/// <summary>
/// Puts the server's half of the Python world together: the <c>_ugreen</c> module with all hub calls, the settings that the shim reads, and the application itself.
/// Hub thread, GIL held, before the hub runs.
/// </summary>
internal sealed class PythonSide(WsgiSettings settings, HubLoop hub, IClock clock, WsgiApplication application, SpawnedThreads spawned, ILoggerFactory loggers)
{
    /// <summary>Registers every hub call of the uwsgi module and the driver.</summary>
    public void RegisterCalls()
    {
        var outside = new OutsideWaits(hub, clock);
        var empty = PyText.FromBytes([]).OrThrow();
        var log = loggers.CreateLogger("wsgi");
        var deadlines = new Deadlines(hub, clock);
        var end = new EndCall(log);
        var paused = new PausedRequests();
        _start = new StartResponseCall(application);
        HubCall[] calls =
        [
            new SuspendCall("suspend", outside),
            new SuspendCall("green_schedule", outside),
            new WaitFdCall("wait_fd_read", FdDirection.Read, empty, outside),
            new WaitFdCall("wait_fd_write", FdDirection.Write, empty, outside),
            new AsyncSleepCall(empty, outside),
            new RequestCall("ready_fd", "The fd that ended the last suspend(), or -1.", green => green.Waits.ReadyFd, () => OutsideWaits.ReadyFd),
            new RequestCall("async_id", "Number of the core that this code runs on, from 0; -1 outside a green thread.", green => green.Number, () => -1),
            new RequestCall("request_id", "How many requests this core has finished before this one. Raises SystemError where there is no request.", green => WsgiApplication.RequestOf(green).Id),
            new RequestCall("connection_fd", "File descriptor of the client's connection; -1 where it has none of its own (HTTP/2). Raises SystemError where there is no request.",
                green => WsgiApplication.RequestOf(green).Exchange?.SocketFd ?? -1),
            new RequestCall("cl", "Length of the request body in bytes, as the client declared it; 0 without a declared length. Raises SystemError where there is no request.", green => WsgiApplication.RequestOf(green).DeclaredBody),
            new RequestCall("length_left", "How many bytes the application's Content-Length leaves for the body; -1 without one. For the driver only.", green => WsgiApplication.RequestOf(green).LengthLeft),
            new ServesCall(),
            new PauseCall(paused, application, log),
            new WriteAllCall(paused, hub),
            new UnpauseAllCall(paused, hub),
            new IsConnectedCall(),
            new DisconnectCall(end),
            new LogCall(loggers.CreateLogger("app")),
            new SetLogVarCall(),
            new GetLogVarCall(),
            new LogThisRequestCall(),
            new RequestCall("logsize", "Size of the log file in bytes; 0 when the log goes to no file.", _ => LogSize(), LogSize),
            new BeginCall(application),
            _start,
            new SendCall("send", yields: true, application),
            new SendCall("write", yields: false, application),
            new RespondCall(),
            new ToleratesBytesCall(application),
            new RespondFileCall(),
            new SendFileCall(application),
            end,
            new FailCall(application, log),
            new ReadIntoCall(application),
            new SpawnCall(spawned),
            new DaemonCall(hub),
            new GreensCall(hub),
            new LockWaitsCall(hub),
            new WithItemCall(),
            new IsAloneCall(hub),
            new AliveCall(hub),
            new WatchClientCall(),
            new UnwatchClientCall(),
            new RequestCall("green_id", "Number that tells this green thread from all others that ever ran; -1 outside a green thread.", green => green.Id, () => -1),
            new ParkCall(),
            new WaitOneCall(hub),
            new UnparkCall(hub),
            new InterruptCall(hub),
            new DeadlineCall(deadlines),
            new CancelDeadlineCall(deadlines),
            new RaiseToldCall(),
            new KeepCall(),
            new ShareOutCall(hub),
            new SetUserHarakiriCall(application),
        ];
        foreach (var call in calls) hub.Calls.Register(call);
        foreach (var call in ServerCalls.All(settings.Control, application.Applications, hub, log)) hub.Calls.Register(call);
    }

    private StartResponseCall _start = null!;

    /// <summary>The function that gives the number of the OS thread, taken over by the module; null: get_ident does.</summary>
    public NewRef? OsIdent { get; init; }

    private long LogSize() => settings.LogPath is { } path && new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    /// <summary>Publishes the functions, imports the shim, loads the application. Throws <see cref="WsgiLoadException"/>.</summary>
    public void Load(nint trampoline)
    {
        try
        {
            Publish(trampoline);
            using var boot = CApi.PyImport_ImportModule("ugreen._boot").OrThrow();
            LoadApplication(boot.Borrow());
            using var driver = CApi.PyImport_ImportModule("ugreen._driver").OrThrow();
            var serve = CApi.PyObject_GetAttrString(driver.Borrow(), "serve").OrThrow();
            using var makeTemplate = CApi.PyObject_GetAttrString(driver.Borrow(), "environ_template").OrThrow();
            var template = CApi.PyObject_CallNoArgs(makeTemplate.Borrow()).OrThrow();
            application.Harakiri?.Start();
            application.Start(serve, new EnvironBuilder(template, settings.Cores));
        }
        catch (PythonException error)
        {
            throw new WsgiLoadException(error.Message, error.Traceback, error);
        }
    }

    private void Publish(nint trampoline)
    {
        using var module = CApi.PyModule_New("_ugreen").OrThrow();
        using var name = PyText.Interned("uwsgi").OrThrow();
        var dict = CApi.PyModule_GetDict(module.Borrow());
        hub.Calls.Publish(dict, trampoline, name.Borrow());
        _start.Write = CApi.PyDict_GetItemString(dict, "write");

        Set(dict, "os_ident", OsIdent ?? BlockingSetup.OwnIdent());
        Set(dict, "applications", List(settings.Applications, a => List([a.Point, a.Module, a.File, a.Callable], Text)));
        Set(dict, "imports", TextList(settings.Imports));
        Set(dict, "arguments", TextList(settings.Arguments));
        Set(dict, "shim_path", Text(settings.ShimPath));
        Set(dict, "cores", CApi.PyLong_FromLongLong(settings.Cores).OrThrow());
        Set(dict, "spawn_cores", CApi.PyLong_FromLongLong(settings.SpawnCores).OrThrow());
        Set(dict, "threads", CApi.PyLong_FromLongLong(settings.Threads).OrThrow());
        Set(dict, "worker_count", CApi.PyLong_FromLongLong(settings.Control.WorkerCount).OrThrow());
        Set(dict, "locks", CApi.PyLong_FromLongLong(settings.Locks).OrThrow());
        Set(dict, "lock_file", Text(settings.Control.LockFile));
        Set(dict, "stack_bytes", CApi.PyLong_FromLongLong((long)settings.StackPages * Environment.SystemPageSize).OrThrow());
        Set(dict, "engine", Text(settings.Switch.ToString().ToLowerInvariant()));
        Set(dict, "server_version", Text(typeof(PythonSide).Assembly.GetName().Version?.ToString(3) ?? "0"));
        Set(dict, "python_paths", TextList(settings.PythonPaths));
        Set(dict, "psycopg2", new NewRef(PyFast.Singleton(settings.Psycopg2 ? PyConstants.True : PyConstants.False)));
        Set(dict, "gc_threshold", CApi.PyLong_FromLongLong(settings.GcThreshold).OrThrow());
        Set(dict, "need_application", new NewRef(PyFast.Singleton(settings.NeedApplication ? PyConstants.True : PyConstants.False)));
        Set(dict, "autoreload", CApi.PyFloat_FromDouble(settings.Autoreload?.TotalSeconds ?? 0).OrThrow());
        Set(dict, "autoreload_ignore", TextList(settings.AutoreloadIgnore));
        Set(dict, "opt", Options());
        Set(dict, "magic", BytesDict(settings.Magic));
        Set(dict, "buffer_size", CApi.PyLong_FromLongLong(settings.BufferSize).OrThrow());
        Set(dict, "is_a_reload", new NewRef(PyFast.Singleton(settings.Control.IsReloaded ? PyConstants.True : PyConstants.False)));
        if (CApi.PyDict_SetItemString(CApi.PyImport_GetModuleDict(), "_ugreen", module.Borrow()) < 0) throw PythonException.Fetch();

        // The shim must be importable before anything of Python's is asked to do more.
        using var shim = Text(settings.ShimPath);
        if (CApi.PyList_Insert(CApi.PySys_GetObject("path"), 0, shim.Borrow()) < 0) throw PythonException.Fetch();
    }

    private void LoadApplication(BorrowedRef boot)
    {
        using var load = CApi.PyObject_GetAttrString(boot, "load").OrThrow();
        using var answer = CApi.PyObject_CallNoArgs(load.Borrow()).OrThrow();
        var log = loggers.CreateLogger("wsgi");
        foreach (var problem in LoadProblem.ReadAll(CApi.PyTuple_GetItem(answer.Borrow(), 2))) throw new WsgiLoadException(problem.Message, problem.Traceback);
        foreach (var problem in LoadProblem.ReadAll(CApi.PyTuple_GetItem(answer.Borrow(), 1))) LoadLog.ImportFailed(log, problem.Message, problem.Details);
        foreach (var problem in LoadProblem.ReadAll(CApi.PyTuple_GetItem(answer.Borrow(), 0)))
        {
            if (settings.NeedApplication) throw new WsgiLoadException(problem.Message, problem.Traceback) { WatchedFiles = settings.Autoreload is null ? [] : WatchedFiles() };
            LoadLog.ApplicationFailed(log, problem.Message, problem.Details);
        }

        application.Applications.Read(CApi.PyTuple_GetItem(answer.Borrow(), 3));
        if (settings.Applications.Count == 0) LoadLog.NoApplication(log);
    }

    private static List<string> WatchedFiles()
    {
        using var module = CApi.PyImport_ImportModule("ugreen._autoreload").OrThrow();
        using var function = CApi.PyObject_GetAttrString(module.Borrow(), "files").OrThrow();
        using var list = CApi.PyObject_CallNoArgs(function.Borrow()).OrThrow();
        var files = new List<string>();
        for (nint i = 0; i < CApi.PyList_Size(list.Borrow()); i++)
        {
            if (PyText.ToText(CApi.PyList_GetItem(list.Borrow(), i)) is { } file) files.Add(file);
        }

        return files;
    }

    private NewRef Options()
    {
        var dict = CApi.PyDict_New().OrThrow();
        foreach (var (key, value) in settings.Opt)
        {
            using var made = value switch
            {
                string text => PyText.FromBytes(System.Text.Encoding.UTF8.GetBytes(text)).OrThrow(),
                IEnumerable<string> texts => BytesList(texts),
                _ => True(),
            };
            using var name = Text(key);
            if (CApi.PyDict_SetItem(dict.Borrow(), name.Borrow(), made.Borrow()) < 0) throw PythonException.Fetch();
        }

        return dict;
    }

    private static NewRef BytesDict(IReadOnlyDictionary<string, string> texts)
    {
        var dict = CApi.PyDict_New().OrThrow();
        foreach (var (key, text) in texts)
        {
            using var name = PyText.FromBytes(System.Text.Encoding.UTF8.GetBytes(key)).OrThrow();
            using var value = PyText.FromBytes(System.Text.Encoding.UTF8.GetBytes(text)).OrThrow();
            if (CApi.PyDict_SetItem(dict.Borrow(), name.Borrow(), value.Borrow()) < 0) throw PythonException.Fetch();
        }

        return dict;
    }

    private static void Set(BorrowedRef dict, string key, NewRef value)
    {
        using (value)
        {
            if (CApi.PyDict_SetItemString(dict, key, value.Borrow()) < 0) throw PythonException.Fetch();
        }
    }

    private static NewRef True() => new(PyFast.Singleton(PyConstants.True));

    private static NewRef Text(string? text) => text is null ? new NewRef(PyFast.Singleton(PyConstants.None)) : PyText.FromText(text).OrThrow();

    private static NewRef TextList(IEnumerable<string> texts) => List(texts, t => PyText.FromText(t));

    private static NewRef BytesList(IEnumerable<string> texts) => List(texts, t => PyText.FromBytes(System.Text.Encoding.UTF8.GetBytes(t)));

    private static NewRef List<T>(IEnumerable<T> items, Func<T, NewRef> make)
    {
        var list = CApi.PyList_New(0).OrThrow();
        foreach (var one in items)
        {
            using var item = make(one).OrThrow();
            if (CApi.PyList_Append(list.Borrow(), item.Borrow()) < 0) throw PythonException.Fetch();
        }

        return list;
    }
}
