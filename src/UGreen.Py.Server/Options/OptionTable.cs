namespace UGreen.Py.Server.Options;

/// <summary>All options, in the order of the help.</summary>
internal static class OptionTable
{
    public static IReadOnlyList<OptionGroup> Groups { get; } =
    [
        new("Application",
        [
            new OptionSpec { Name = "module", Aliases = ["wsgi"], Short = 'w', Value = "PKG.MOD[:CALLABLE]", Help = "WSGI module to import" },
            new OptionSpec { Name = "wsgi-file", Aliases = ["file"], Value = "FILE", Help = "Python file to load instead of a module" },
            new OptionSpec { Name = "callable", Value = "NAME", Help = "callable to serve when -w or --wsgi-file names none", Default = OptionDefaults.Callable },
        ]),
        new("Sockets",
        [
            new OptionSpec { Name = "http", Aliases = ["http-socket"], Value = "ADDR", Repeatable = true, Help = "HTTP on HOST:PORT, a path, @NAME, fd://N", Default = OptionDefaults.Http },
            new OptionSpec { Name = "https", Value = "ADDR,CERT,KEY", Repeatable = true, Help = "the same with TLS; certificates and key in PEM files" },
            new OptionSpec { Name = "socket", Aliases = ["uwsgi-socket"], Short = 's', Value = "ADDR", Repeatable = true, Help = "listen for uwsgi_pass: HOST:PORT, a path, @NAME, fd://N" },
            new OptionSpec { Name = "chmod-socket", Short = 'C', Value = "MODE", ImpliedValue = OptionDefaults.SocketMode, Help = "permissions of unix sockets, octal; without a value " + OptionDefaults.SocketMode },
            new OptionSpec { Name = "forwarded-allow", Aliases = ["forwarded-allow-ips"], Value = "IPS", Help = "believe X-Forwarded-For/-Proto of these: IPs, networks, unix, *" },
            new OptionSpec { Name = "listen", Short = 'l', Value = "N", Help = "connections that may wait to be accepted", Default = OptionDefaults.Text(OptionDefaults.Backlog) },
        ]),
        new("uwsgi protocol",
        [
            new OptionSpec { Name = "buffer-size", Short = 'b', Value = "BYTES", Help = "longest block of variables, request line or headers", Default = LimitOptions.DefaultBufferSize },
        ]),
        new("Green threads",
        [
            new OptionSpec { Name = "async", Value = "N", Help = "number of cores: requests that run at the same time", Default = OptionDefaults.Text(OptionDefaults.Cores) },
            new OptionSpec { Name = "ugreen", Help = "green threads; the only engine, accepted for uWSGI's sake" },
            new OptionSpec { Name = "ugreen-stacksize", Value = "PAGES", Help = "stack of each core in pages of 4 KiB", Default = OptionDefaults.StackPages },
            new OptionSpec { Name = "ugreen-switch", Value = "direct|posix", Help = "direct: machine code of our own; posix: swapcontext(), slower", Default = OptionDefaults.Switch },
            new OptionSpec { Name = "async-queue", Value = "N", Help = "requests that may wait while all cores are busy; more get 503", Default = OptionDefaults.Text(OptionDefaults.Queue) },
        ]),
        new("Limits",
        [
            new OptionSpec { Name = "max-headers", Value = "N", Help = "most headers of an HTTP request; more get 431", Default = OptionDefaults.Text(LimitOptions.Defaults.Headers) },
            new OptionSpec { Name = "limit-post", Value = "BYTES", Help = "longest request body; more gets 413; 0: no limit", Default = "0" },
            new OptionSpec { Name = "http-timeout", Aliases = ["socket-timeout"], Value = "SECONDS", Help = "longest pause of a client in a body or a response; 0: for ever", Default = LimitOptions.Text(LimitOptions.Defaults.Pause) },
            new OptionSpec { Name = "headers-timeout", Aliases = ["http-headers-timeout"], Value = "SECONDS", Help = "in what time a request head must be complete", Default = LimitOptions.Text(LimitOptions.Defaults.Head) },
            new OptionSpec { Name = "http-keepalive", Value = "SECONDS", Help = "how long a connection may be idle; 0: one request each", Default = LimitOptions.Text(LimitOptions.Defaults.KeepAlive) },
            new OptionSpec { Name = "max-connections", Value = "N", Help = "most open connections, others wait; 0: what file descriptors allow", Default = "0" },
        ]),
        new("Python",
        [
            new OptionSpec { Name = "pythonpath", Aliases = ["python-path", "pp"], Value = "DIR", Repeatable = true, Help = "put a directory in front of sys.path" },
            new OptionSpec { Name = "chdir", Value = "DIR", Help = "change to a directory before the application is loaded" },
            new OptionSpec { Name = "virtualenv", Aliases = ["venv", "home", "pyhome"], Short = 'H', Value = "DIR", Help = "virtual environment to use" },
            new OptionSpec { Name = "python", Value = "PATH", Help = "libpython or a python executable; also the environment variable UGREEN_PYTHON" },
        ]),
        new("Process",
        [
            new OptionSpec { Name = "shutdown-timeout", Value = "SECONDS", Help = "how long running requests may take after SIGTERM", Default = OptionDefaults.Text(OptionDefaults.ShutdownTimeoutSeconds) },
            new OptionSpec { Name = "log-level", Value = "LEVEL", Help = "trace, debug, info, warning, error, critical or none", Default = OptionDefaults.LogLevel },
            new OptionSpec { Name = "disable-logging", Short = 'L', Help = "no line per request" },
            new OptionSpec { Name = "version", Help = "print the version and exit" },
            new OptionSpec { Name = "help", Short = 'h', Help = "print this text and exit" },
        ]),
    ];

    public static IReadOnlyList<OptionSpec> All { get; } = [.. Groups.SelectMany(g => g.Options)];

    private static readonly Dictionary<string, OptionSpec> ByLongName =
        All.SelectMany(o => o.Aliases.Append(o.Name).Select(name => (name, o))).ToDictionary(p => p.name, p => p.o, StringComparer.Ordinal);

    /// <summary>Every long name, aliases included.</summary>
    public static IEnumerable<string> LongNames => ByLongName.Keys;

    public static OptionSpec? Find(string longName) => ByLongName.GetValueOrDefault(longName);

    public static OptionSpec? Find(char shortName) => All.FirstOrDefault(o => o.Short == shortName);
}
