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
            new OptionSpec { Name = "mount", Value = "/PATH=APP", Repeatable = true, Help = "serve an application below a path; the longest that matches" },
            new OptionSpec { Name = "manage-script-name", Help = "SCRIPT_NAME is the mountpoint; always so, accepted for uWSGI's sake" },
            new OptionSpec { Name = "need-app", Value = "BOOL", OptionalValue = "true", Help = "false: start without what cannot be loaded", Default = "true" },
            new OptionSpec { Name = "wsgi-strict", Help = "an error for what PEP 3333 forbids and other servers take" },
            new OptionSpec { Name = "import", Aliases = ["pyimport", "shared-import"], Value = "MODULE|FILE", Repeatable = true, Help = "import before the application" },
            new OptionSpec { Name = "env", Value = "NAME=VALUE", Repeatable = true, Help = "set an environment variable before Python starts" },
            new OptionSpec { Name = "set", Aliases = ["set-placeholder", "set-ph"], Short = 'S', Value = "KEY[=VALUE]", Repeatable = true, Help = "put into uwsgi.opt" },
            new OptionSpec { Name = "mode", Value = "WORD", Help = "for the application, as uwsgi.mode" },
            new OptionSpec { Name = "pyargv", Value = "ARGS", Help = "what follows the name in sys.argv, split at blanks" },
            new OptionSpec { Name = "add-header", Value = "\"NAME: VALUE\"", Repeatable = true, Help = "add to every response, also of static files" },
        ]),
        new("Configuration files",
        [
            new OptionSpec { Name = "ini", Value = "FILE[:SECTION]", Repeatable = true, Help = "read options from an ini file, section [uwsgi]" },
            new OptionSpec { Name = "yaml", Aliases = ["yml"], Short = 'y', Value = "FILE[:KEY]", Repeatable = true, Help = "read options from a YAML file, key uwsgi" },
            new OptionSpec { Name = "json", Aliases = ["js"], Short = 'j', Value = "FILE[:KEY]", Repeatable = true, Help = "read options from a JSON file, key uwsgi" },
            new OptionSpec { Name = "config", Value = "FILE", Repeatable = true, Help = "read options from a file, by the end of its name" },
            new OptionSpec { Name = "strict", Help = "refuse keys that this server does not know" },
            new OptionSpec { Name = "show-config", Help = "print the configuration in effect at the start" },
        ]),
        new("Static files",
        [
            new OptionSpec { Name = "static-map", Value = "/PATH=DIR_OR_FILE", Repeatable = true, Help = "serve files below a path; missing ones: the application" },
            new OptionSpec { Name = "check-static", Value = "DIR", Repeatable = true, Help = "serve the file that DIR holds for a path, if it does" },
            new OptionSpec { Name = "static-index", Value = "FILE", Repeatable = true, Help = "what a path that ends in / serves, as index.html" },
        ]),
        new("Sockets",
        [
            new OptionSpec { Name = "http", Aliases = ["http-socket"], Value = "ADDR", Repeatable = true, Help = "HTTP on HOST:PORT, a path, @NAME, fd://N", Default = OptionDefaults.Http },
            new OptionSpec { Name = "https", Value = "ADDR,CERT,KEY", Repeatable = true, Help = "the same with TLS; certificates and key in PEM files" },
            new OptionSpec { Name = "socket", Aliases = ["uwsgi-socket"], Short = 's', Value = "ADDR", Repeatable = true, Help = "listen for uwsgi_pass: HOST:PORT, a path, @NAME, fd://N" },
            new OptionSpec { Name = "chmod-socket", Short = 'C', Value = "MODE", OptionalValue = OptionDefaults.SocketMode, Help = "permissions of unix sockets, octal; without a value " + OptionDefaults.SocketMode },
            new OptionSpec { Name = "chown-socket", Value = "USER[:GROUP]", Help = "owner of unix sockets" },
            new OptionSpec { Name = "forwarded-allow", Aliases = ["forwarded-allow-ips"], Value = "IPS", Help = "believe X-Forwarded-For/-Proto of these: IPs, networks, unix, *" },
            new OptionSpec { Name = "listen", Short = 'l', Value = "N", Help = "connections that may wait to be accepted", Default = OptionDefaults.Text(OptionDefaults.Backlog) },
        ]),
        new("Green threads",
        [
            new OptionSpec { Name = "async", Value = "N", Help = "number of cores: requests that run at the same time", Default = OptionDefaults.Text(OptionDefaults.Cores) },
            new OptionSpec { Name = "ugreen", Help = "green threads; the only engine, accepted for uWSGI's sake" },
            new OptionSpec { Name = "ugreen-stacksize", Value = "PAGES", Help = "stack of each core in pages of 4 KiB", Default = OptionDefaults.StackPages },
            new OptionSpec { Name = "ugreen-spawn-max", Value = "N", Help = "green threads that ugreen.spawn() may run at once", Default = OptionDefaults.SpawnCores },
            new OptionSpec { Name = "ugreen-switch", Value = "direct|posix", Help = "direct: machine code of our own; posix: swapcontext(), slower", Default = OptionDefaults.Switch },
            new OptionSpec { Name = "async-queue", Value = "N", Help = "requests that may wait while all cores are busy; more get 503", Default = OptionDefaults.Text(OptionDefaults.Queue) },
            new OptionSpec { Name = "ugreen-gc", Value = "N", Help = "threshold of Python's garbage collector after loading; 0: as it is", Default = OptionDefaults.Text(OptionDefaults.GcThreshold) },
            new OptionSpec { Name = "ugreen-blocking", Value = "BOOL", OptionalValue = "true", Help = "blocking calls wait green; true: or no start", Default = "where LD_PRELOAD works; see log" },
            new OptionSpec { Name = "ugreen-threads", Value = "N", Help = "OS threads for ugreen.run_in_thread(), started when needed", Default = OptionDefaults.Text(OptionDefaults.Threads) },
        ]),
        new("Limits",
        [
            new OptionSpec { Name = "buffer-size", Short = 'b', Value = "BYTES", Help = "longest block of variables, request line or headers", Default = LimitOptions.DefaultBufferSize },
            new OptionSpec { Name = "max-headers", Value = "N", Help = "most headers of an HTTP request; more get 431", Default = OptionDefaults.Text(LimitOptions.Defaults.Headers) },
            new OptionSpec { Name = "limit-post", Value = "BYTES", Help = "longest request body; more gets 413; 0: no limit", Default = "0" },
            new OptionSpec { Name = "http-timeout", Aliases = ["socket-timeout"], Value = "SECONDS", Help = "longest pause of a client in a body or a response; 0: for ever", Default = LimitOptions.Text(LimitOptions.Defaults.Pause) },
            new OptionSpec { Name = "headers-timeout", Aliases = ["http-headers-timeout"], Value = "SECONDS", Help = "in what time a request head must be complete", Default = LimitOptions.Text(LimitOptions.Defaults.Head) },
            new OptionSpec { Name = "http-keepalive", Value = "SECONDS", Help = "how long a connection may be idle; 0: one request each", Default = LimitOptions.Text(LimitOptions.Defaults.KeepAlive) },
            new OptionSpec { Name = "harakiri", Short = 't', Value = "SECONDS", Help = "longest time for a request; then it is ended: 504; 0: no limit", Default = "0" },
            new OptionSpec { Name = "harakiri-graceful-timeout", Value = "SECONDS", Help = "what it has to end, before its worker is killed", Default = OptionDefaults.Text(OptionDefaults.HarakiriGraceSeconds) },
            new OptionSpec { Name = "max-connections", Value = "N", Help = "most open connections, others wait; 0: what file descriptors allow", Default = "0" },
        ]),
        new("Python",
        [
            new OptionSpec { Name = "pythonpath", Aliases = ["python-path", "pp"], Value = "DIR", Repeatable = true, Help = "put a directory in front of sys.path" },
            new OptionSpec { Name = "chdir", Value = "DIR", Help = "change to a directory before the application is loaded" },
            new OptionSpec { Name = "virtualenv", Aliases = ["venv", "home", "pyhome"], Short = 'H', Value = "DIR", Help = "virtual environment to use" },
            new OptionSpec { Name = "psycopg2", Help = "psycopg2 cancels a query that is given up; it waits green anyway" },
            new OptionSpec { Name = "python", Value = "PATH", Help = "libpython or a python executable; also the environment variable UGREEN_PYTHON" },
        ]),
        new("Logging",
        [
            new OptionSpec { Name = "log-level", Value = "LEVEL", Help = "trace, debug, info, warning, error, critical or none", Default = OptionDefaults.LogLevel },
            new OptionSpec { Name = "logto", Value = "FILE", Help = "append all output to FILE, Python's too; SIGUSR1 opens it again" },
            new OptionSpec { Name = "req-logger", Value = "file:FILE", Help = "append request lines to a file of their own" },
            new OptionSpec { Name = "log-format", Aliases = ["logformat"], Value = "FORMAT", Help = "request lines of your own, made of %(variables)" },
            new OptionSpec { Name = "log-json", Help = "every line of the server's is a JSON object" },
            new OptionSpec { Name = "log-x-forwarded-for", Help = "show the first address of X-Forwarded-For" },
            new OptionSpec { Name = "disable-logging", Short = 'L', Help = "no line per request, except by the following" },
            new OptionSpec { Name = "log-4xx", Help = "with -L: a line for answers from 400 to 499" },
            new OptionSpec { Name = "log-5xx", Help = "with -L: a line for answers from 500 on" },
            new OptionSpec { Name = "log-slow", Value = "MILLISECONDS", Help = "with -L: a line for requests that took as long as this" },
            new OptionSpec { Name = "log-big", Value = "BYTES", Help = "with -L: a line for response bodies as large as this" },
            new OptionSpec { Name = "log-zero", Help = "with -L: a line for responses without a body" },
        ]),
        new("Master and workers",
        [
            new OptionSpec { Name = "master", Short = 'M', Help = "a master starts the workers, watches them and replaces them" },
            new OptionSpec { Name = "processes", Aliases = ["workers"], Short = 'p', Value = "N|auto", Help = "worker processes; auto: one for each CPU", Default = "1" },
            new OptionSpec { Name = "max-requests", Short = 'R', Value = "N", Help = "replace a worker after so many requests; 0: never", Default = "0" },
            new OptionSpec { Name = "max-requests-delta", Value = "N", Help = "what each worker adds to that, times its number", Default = "0" },
            new OptionSpec { Name = "reload-on-rss", Value = "MB", Help = "replace a worker whose memory is larger; 0: never", Default = "0" },
            new OptionSpec { Name = "min-worker-lifetime", Value = "SECONDS", Help = "but none that is younger, by either", Default = OptionDefaults.Text(OptionDefaults.MinWorkerLifetimeSeconds) },
            new OptionSpec { Name = "worker-lifetime", Aliases = ["max-worker-lifetime"], Value = "SECONDS", Help = "replace a worker of this age; 0: never", Default = "0" },
            new OptionSpec { Name = "max-worker-lifetime-delta", Value = "SECONDS", Help = "what each worker adds to that, times its number", Default = "0" },
            new OptionSpec { Name = "touch-reload", Value = "FILE", Repeatable = true, Help = "replace all workers, one by one, when FILE changes; so does SIGHUP" },
            new OptionSpec { Name = "py-autoreload", Aliases = ["py-auto-reload", "python-autoreload"], Value = "SECONDS", Help = "look for changed Python files so often, and reload; to develop with", Default = "0" },
            new OptionSpec { Name = "py-autoreload-ignore", Aliases = ["py-auto-reload-ignore"], Value = "MODULE", Repeatable = true, Help = "a module or package that may change" },
            new OptionSpec { Name = "locks", Value = "N", Help = "locks for uwsgi.lock() that all workers share, beside lock 0", Default = "0" },
            new OptionSpec { Name = "cheaper", Value = "N", Help = "keep at least N workers, more up to --processes when they are busy" },
            new OptionSpec { Name = "cheaper-initial", Value = "N", Help = "workers to begin with", Default = "N of --cheaper" },
            new OptionSpec { Name = "cheaper-step", Value = "N", Help = "workers to start at once", Default = "1" },
            new OptionSpec { Name = "cheaper-overload", Value = "SECONDS", Help = "how long they must be busy, or ten times as long idle", Default = OptionDefaults.Text(OptionDefaults.CheaperOverloadSeconds) },
            new OptionSpec { Name = "attach-daemon", Value = "COMMAND", Repeatable = true, Help = "run COMMAND beside the server, once, and again when it ends" },
            new OptionSpec { Name = "cron", Value = "\"MIN HOUR DAY MONTH WEEKDAY COMMAND\"", Repeatable = true, Help = "run COMMAND by the calendar, once per server; -1: any, -k: each k" },
        ]),
        new("Process",
        [
            new OptionSpec { Name = "shutdown-timeout", Aliases = ["worker-reload-mercy", "reload-mercy"], Value = "SECONDS", Help = "how long running requests may take after SIGTERM", Default = OptionDefaults.Text(OptionDefaults.ShutdownTimeoutSeconds) },
            new OptionSpec { Name = "pidfile", Value = "FILE", Help = "write the process id to FILE once the sockets are open" },
            new OptionSpec { Name = "vacuum", Help = "remove the pidfile at the end; unix sockets are removed anyway" },
            new OptionSpec { Name = "uid", Value = "USER", Help = "become this user (name or number) once the sockets are open" },
            new OptionSpec { Name = "gid", Value = "GROUP", Help = "and this group; without it the user's own" },
            new OptionSpec { Name = "umask", Value = "OCTAL", Help = "file creation mask" },
            new OptionSpec { Name = "daemonize", Short = 'd', Value = "FILE", Help = "run in the background; output goes to FILE" },
            new OptionSpec { Name = "procname", Value = "NAME", Help = "what ps shows" },
            new OptionSpec { Name = "auto-procname", Help = "ps shows what each process does" },
            new OptionSpec { Name = "procname-prefix", Value = "PREFIX", Help = "in front of these names" },
            new OptionSpec { Name = "procname-prefix-spaced", Value = "PREFIX", Help = "the same, with a blank" },
            new OptionSpec { Name = "version", Help = "print the version and exit" },
            new OptionSpec { Name = "help", Short = 'h', Help = "print this text and exit" },
        ]),
        new("Accepted for uWSGI's sake, without an effect",
        [
            new OptionSpec { Name = "die-on-term", Help = "SIGTERM always stops the server" },
            new OptionSpec { Name = "lazy-apps", Help = "each worker loads the application itself, always" },
            new OptionSpec { Name = "lazy", Help = "the same" },
            new OptionSpec { Name = "single-interpreter", Help = "there is one interpreter in a process, always" },
            new OptionSpec { Name = "enable-threads", Help = "Python threads run, always" },
            new OptionSpec { Name = "thunder-lock", Help = "no worker is woken for a connection that another takes" },
            new OptionSpec { Name = "no-orphans", Help = "no worker outlives its master, always" },
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
