using Microsoft.Extensions.Logging;
using UGreen.Py.Front;
using UGreen.Py.Front.Static;
using UGreen.Py.Gateway;
using UGreen.Py.Switching;
using UGreen.Py.Wsgi;

namespace UGreen.Py.Server.Options;

/// <summary>A checked command line.</summary>
internal sealed record ServerOptions
{
    /// <summary>The one at the root first; empty only when none is needed.</summary>
    public IReadOnlyList<WsgiMount> Applications { get; init; } = [];

    /// <summary>False: an application that cannot be loaded does not keep the server from starting.</summary>
    public bool NeedApplication { get; init; } = true;

    /// <summary>What PEP 3333 forbids to applications is an error, also what other servers take.</summary>
    public bool WsgiStrict { get; init; }

    /// <summary>Modules and files to import before the applications.</summary>
    public IReadOnlyList<string> Imports { get; init; } = [];

    /// <summary>What follows the name in <c>sys.argv</c>.</summary>
    public IReadOnlyList<string> PythonArguments { get; init; } = [];

    /// <summary>Environment variables to set before Python starts.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Variables { get; init; } = [];

    /// <summary>Null: none are served.</summary>
    public StaticFileSettings? StaticFiles { get; init; }

    /// <summary>Headers of every response.</summary>
    public IReadOnlyList<HeaderField> AddedHeaders { get; init; } = [];

    public required IReadOnlyList<HttpEndpoint> Http { get; init; }

    public IReadOnlyList<Front.Uwsgi.UwsgiEndpoint> Sockets { get; init; } = [];

    /// <summary>Permissions of unix sockets; null: what the umask leaves.</summary>
    public UnixFileMode? SocketMode { get; init; }

    /// <summary>Sockets that the process was given and that no option names.</summary>
    public IReadOnlyList<PassedSocket> UnusedSockets { get; init; } = [];

    public ProcessOptions Process { get; init; } = new();

    /// <summary>Whose X-Forwarded headers count; null: nobody's.</summary>
    public ForwardedPeers? Forwarded { get; init; }

    public int Backlog { get; init; } = OptionDefaults.Backlog;

    /// <summary>Null: the default of each front.</summary>
    public int? BufferSize { get; init; }

    /// <summary>Without the number of connections where the descriptors shall decide.</summary>
    public FrontLimits Limits { get; init; } = new();

    /// <summary>Number and size of the green stacks.</summary>
    public StackSizes Stacks { get; init; } = GreenStacks.Choose(OptionDefaults.Cores, null, null);

    public int Cores => Stacks.Cores;

    /// <summary><c>--async</c> was given without <c>--ugreen</c>, which in uWSGI would choose another engine.</summary>
    public bool UgreenImplied { get; init; }

    public int StackPages => Stacks.StackPages;

    public SwitchKind Switch { get; init; } = SwitchKind.Direct;

    public int QueueLimit { get; init; } = OptionDefaults.Queue;

    /// <summary>First threshold of Python's garbage collector; 0: as Python has it.</summary>
    public int GcThreshold { get; init; } = OptionDefaults.GcThreshold;

    /// <summary>Most OS threads for <c>ugreen.run_in_thread()</c>.</summary>
    public int Threads { get; init; } = OptionDefaults.Threads;

    /// <summary>In the order in which they were given.</summary>
    public IReadOnlyList<string> PythonPaths { get; init; } = [];

    public string? Chdir { get; init; }

    public string? VirtualEnv { get; init; }

    /// <summary>Calls of the C library that would block wait green on a green stack.</summary>
    public BlockingMode BlockingCalls { get; init; }

    /// <summary>psycopg2's waits let other green threads run; set before the application is loaded.</summary>
    public bool Psycopg2 { get; init; }

    /// <summary>libpython or an executable; null: look for one.</summary>
    public string? Python { get; init; }

    /// <summary>How long a request may take; zero: as long as it likes.</summary>
    public TimeSpan Harakiri { get; init; }

    /// <summary>What a request that is over its limit has for its end.</summary>
    public TimeSpan HarakiriGrace { get; init; } = TimeSpan.FromSeconds(OptionDefaults.HarakiriGraceSeconds);

    /// <summary>Locks of the uwsgi module beside lock 0.</summary>
    public int Locks { get; init; }

    public MasterOptions Master { get; init; } = new();

    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(OptionDefaults.ShutdownTimeoutSeconds);

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>One line per request.</summary>
    public bool LogRequests { get; init; } = true;

    /// <summary>Absolute path of the file that all output goes to; null: standard output and error stay what they are.</summary>
    public string? LogTo { get; init; }

    public RequestLogOptions RequestLog { get; init; } = new();

    /// <summary>For <c>uwsgi.opt</c>: option as written → string, true or list of strings.</summary>
    public IReadOnlyDictionary<string, object> Given { get; init; } = new Dictionary<string, object>();

    /// <summary>What configuration files and the environment contributed; the values themselves are in the other properties.</summary>
    public Config.Configuration Configuration { get; init; } = Config.Configuration.None;

    /// <summary>With <c>--show-config</c>: an ini file; otherwise null.</summary>
    public string? ShownConfiguration { get; init; }

    /// <summary>The applications, for logs.</summary>
    public string Application => Applications.Count == 0 ? "(none)" : string.Join(", ", Applications);
}
