using Microsoft.Extensions.Logging;
using UGreen.Py.Front;
using UGreen.Py.Switching;

namespace UGreen.Py.Server.Options;

/// <summary>A checked command line.</summary>
internal sealed record ServerOptions
{
    /// <summary>Dotted module name without the callable; exactly one of this and <see cref="WsgiFile"/> is set.</summary>
    public string? Module { get; init; }

    public string? WsgiFile { get; init; }

    /// <summary>Name of the callable; <c>name()</c> is a factory.</summary>
    public string Callable { get; init; } = OptionDefaults.Callable;

    public required IReadOnlyList<HttpEndpoint> Http { get; init; }

    public IReadOnlyList<Front.Uwsgi.UwsgiEndpoint> Sockets { get; init; } = [];

    /// <summary>Permissions of unix sockets; null: what the umask leaves.</summary>
    public UnixFileMode? SocketMode { get; init; }

    /// <summary>Whose X-Forwarded headers count; null: nobody's.</summary>
    public ForwardedPeers? Forwarded { get; init; }

    public int Backlog { get; init; } = OptionDefaults.Backlog;

    /// <summary>Null: the default of each front.</summary>
    public int? BufferSize { get; init; }

    /// <summary>Without the number of connections where the descriptors shall decide.</summary>
    public FrontLimits Limits { get; init; } = new();

    public int Cores { get; init; } = OptionDefaults.Cores;

    /// <summary><c>--async</c> was given without <c>--ugreen</c>, which in uWSGI would choose another engine.</summary>
    public bool UgreenImplied { get; init; }

    public int StackPages { get; init; } = GreenStacks.DefaultPages(OptionDefaults.Cores);

    public SwitchKind Switch { get; init; } = SwitchKind.Direct;

    public int QueueLimit { get; init; } = OptionDefaults.Queue;

    /// <summary>In the order in which they were given.</summary>
    public IReadOnlyList<string> PythonPaths { get; init; } = [];

    public string? Chdir { get; init; }

    public string? VirtualEnv { get; init; }

    /// <summary>libpython or an executable; null: look for one.</summary>
    public string? Python { get; init; }

    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(OptionDefaults.ShutdownTimeoutSeconds);

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>One line per request.</summary>
    public bool LogRequests { get; init; } = true;

    /// <summary>For <c>uwsgi.opt</c>: option as written → string, true or list of strings.</summary>
    public IReadOnlyDictionary<string, object> Given { get; init; } = new Dictionary<string, object>();

    /// <summary>The application as one word, for logs.</summary>
    public string Application => $"{WsgiFile ?? Module}:{Callable}";
}
