using UGreen.Py.Switching;
using UGreen.Py.Wsgi.Control;

namespace UGreen.Py.Wsgi;

/// <summary>What a worker is started with; values are checked by whoever makes it.</summary>
public sealed record WsgiSettings
{
    /// <summary>The applications; their mountpoints differ. With none every request is answered 404.</summary>
    public IReadOnlyList<WsgiMount> Applications { get; init; } = [];

    /// <summary>False: an application that cannot be loaded is warned about, and its requests are answered 500.</summary>
    public bool NeedApplication { get; init; } = true;

    /// <summary>Modules and files to import before the applications; one that fails is warned about.</summary>
    public IReadOnlyList<string> Imports { get; init; } = [];

    /// <summary>What follows the program's name in <c>sys.argv</c>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Number of cores: requests that can run at once.</summary>
    public int Cores { get; init; } = 100;

    /// <summary>Size of each green stack in pages of 4,096 bytes.</summary>
    public int StackPages { get; init; } = 256;

    /// <summary>Number of spawn cores: functions that the application can have running beside its requests.</summary>
    public int SpawnCores { get; init; } = 50;

    /// <summary>Size of the stack of each spawn core in pages of 4,096 bytes.</summary>
    public int SpawnPages { get; init; } = 64;

    internal StackSizes Stacks => new(Cores, StackPages, SpawnCores, SpawnPages);

    public SwitchKind Switch { get; init; }

    /// <summary>A libpython or a Python executable; null: the virtualenv's or Debian's.</summary>
    public string? PythonPath { get; init; }

    public string? VirtualEnv { get; init; }

    /// <summary>Folders for the front of sys.path; the last one named comes first, as with uWSGI.</summary>
    public IReadOnlyList<string> PythonPaths { get; init; } = [];

    /// <summary>Calls of the C library that would block wait green on a green stack, and each core has an identity of its own.</summary>
    public BlockingMode BlockingCalls { get; init; }

    /// <summary>Why this process has nothing before the C library, for people; asked for where that is so.</summary>
    public Func<string> WhyNotPreloaded { get; init; } = static () => "nothing was preloaded into this process";

    /// <summary>Install psycopg2's wait callback before anything else is imported; a worker without psycopg2 then does not start.</summary>
    public bool Psycopg2 { get; init; }

    /// <summary>Folder to change to before Python starts; null: stay.</summary>
    public string? Chdir { get; init; }

    /// <summary>Requests that may wait for a free core; more are answered 503.</summary>
    public int QueueLimit { get; init; } = 1000;

    /// <summary>First threshold of Python's garbage collector once the application is loaded, when what was loaded is frozen; 0: both are left alone.</summary>
    public int GcThreshold { get; init; }

    /// <summary>Most OS threads for <c>ugreen.run_in_thread()</c>.</summary>
    public int Threads { get; init; } = 32;

    /// <summary>The folder <c>python/uwsgi_shim</c>.</summary>
    public required string ShimPath { get; init; }

    /// <summary>The file that the log goes to, for <c>uwsgi.logsize()</c>; null: none.</summary>
    public string? LogPath { get; init; }

    /// <summary>How often the sources are looked at, to be replaced when one changes; null: never.</summary>
    public TimeSpan? Autoreload { get; init; }

    /// <summary>Modules and packages whose files are left out of that.</summary>
    public IReadOnlyList<string> AutoreloadIgnore { get; init; } = [];

    /// <summary>A descriptor that gets the line about a stack that overflowed, too; -1: none.</summary>
    public int OverflowFd { get; init; } = -1;

    /// <summary>Locks of the uwsgi module beside lock 0.</summary>
    public int Locks { get; init; }

    /// <summary>Where running requests are shown.</summary>
    public IRequestBoard Board { get; init; } = NoRequestBoard.Instance;

    /// <summary>The server that this worker is a part of.</summary>
    public IServerControl Control { get; init; } = new StandaloneControl(static _ => { });

    /// <summary>How long a request may have its core; zero: as long as it likes.</summary>
    public TimeSpan Harakiri { get; init; }

    /// <summary>What a request that is over its limit has for its end, before it counts as stuck.</summary>
    public TimeSpan HarakiriGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What PEP 3333 forbids to applications is an error, also what other servers take.</summary>
    public bool WsgiStrict { get; init; }

    /// <summary>For <c>uwsgi.buffer_size</c>, in bytes.</summary>
    public int BufferSize { get; init; }

    /// <summary>For <c>uwsgi.magic_table</c>: letter of a placeholder to what it stands for.</summary>
    public IReadOnlyDictionary<string, string> Magic { get; init; } = new Dictionary<string, string>();

    /// <summary>For <c>uwsgi.opt</c>: option name to its value: a string, true, or a list of strings.</summary>
    public IReadOnlyDictionary<string, object> Opt { get; init; } = new Dictionary<string, object>();
}
