using CommandLine;

namespace UGreen.Py.Server.Options;

/// <summary>
/// What CommandLineParser fills. Everything that needs a check is text here: <see cref="OptionValidator"/> then says which option is wrong and why, which the
/// library's own conversions do not. Names and help live in <see cref="OptionTable"/>.
/// </summary>
internal sealed class ParsedArguments
{
    [Option("module")]
    public string? Module { get; set; }

    [Option("wsgi-file")]
    public string? WsgiFile { get; set; }

    [Option("callable")]
    public string? Callable { get; set; }

    [Option("mount", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> Mount { get; set; } = [];

    [Option("manage-script-name")]
    public bool ManageScriptName { get; set; }

    [Option("ugreen-blocking")]
    public string? UgreenBlocking { get; set; }

    [Option("wsgi-strict")]
    public bool WsgiStrict { get; set; }

    [Option("mode")]
    public string? Mode { get; set; }

    [Option("need-app")]
    public string? NeedApp { get; set; }

    [Option("import", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> Import { get; set; } = [];

    [Option("env", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> Env { get; set; } = [];

    [Option("set", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> Set { get; set; } = [];

    [Option("pyargv")]
    public string? PyArgv { get; set; }

    [Option("add-header", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> AddHeader { get; set; } = [];

    [Option("static-map", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> StaticMap { get; set; } = [];

    [Option("check-static", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> CheckStatic { get; set; } = [];

    [Option("static-index", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> StaticIndex { get; set; } = [];

    [Option("ini", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> Ini { get; set; } = [];

    [Option("yaml", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> Yaml { get; set; } = [];

    [Option("json", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> Json { get; set; } = [];

    [Option("config", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> Config { get; set; } = [];

    [Option("strict")]
    public bool Strict { get; set; }

    [Option("show-config")]
    public bool ShowConfig { get; set; }

    [Option("http", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> Http { get; set; } = [];

    [Option("https", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> Https { get; set; } = [];

    [Option("chmod-socket")]
    public string? ChmodSocket { get; set; }

    [Option("forwarded-allow")]
    public string? ForwardedAllow { get; set; }

    [Option("listen")]
    public string? Listen { get; set; }

    [Option("socket", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> Socket { get; set; } = [];

    [Option("buffer-size")]
    public string? BufferSize { get; set; }

    [Option("async")]
    public string? Async { get; set; }

    [Option("ugreen")]
    public bool Ugreen { get; set; }

    [Option("ugreen-stacksize")]
    public string? UgreenStackSize { get; set; }

    [Option("ugreen-spawn-max")]
    public string? UgreenSpawnMax { get; set; }

    [Option("ugreen-switch")]
    public string? UgreenSwitch { get; set; }

    [Option("ugreen-gc")]
    public string? GcThreshold { get; set; }

    [Option("async-queue")]
    public string? AsyncQueue { get; set; }

    [Option("ugreen-threads")]
    public string? UgreenThreads { get; set; }

    [Option("pythonpath", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> PythonPath { get; set; } = [];

    [Option("chdir")]
    public string? Chdir { get; set; }

    [Option("virtualenv")]
    public string? VirtualEnv { get; set; }

    [Option("psycopg2")]
    public bool Psycopg2 { get; set; }

    [Option("python")]
    public string? Python { get; set; }

    [Option("harakiri")]
    public string? Harakiri { get; set; }

    [Option("harakiri-graceful-timeout")]
    public string? HarakiriGracefulTimeout { get; set; }

    [Option("shutdown-timeout")]
    public string? ShutdownTimeout { get; set; }

    [Option("chown-socket")]
    public string? ChownSocket { get; set; }

    [Option("pidfile")]
    public string? PidFile { get; set; }

    [Option("vacuum")]
    public bool Vacuum { get; set; }

    [Option("uid")]
    public string? Uid { get; set; }

    [Option("gid")]
    public string? Gid { get; set; }

    [Option("umask")]
    public string? Umask { get; set; }

    [Option("daemonize")]
    public string? Daemonize { get; set; }

    [Option("procname")]
    public string? ProcName { get; set; }

    [Option("auto-procname")]
    public bool AutoProcName { get; set; }

    [Option("procname-prefix")]
    public string? ProcNamePrefix { get; set; }

    [Option("procname-prefix-spaced")]
    public string? ProcNamePrefixSpaced { get; set; }

    [Option("die-on-term")]
    public bool DieOnTerm { get; set; }

    [Option("lazy-apps")]
    public bool LazyApps { get; set; }

    [Option("lazy")]
    public bool Lazy { get; set; }

    [Option("single-interpreter")]
    public bool SingleInterpreter { get; set; }

    [Option("enable-threads")]
    public bool EnableThreads { get; set; }

    [Option("thunder-lock")]
    public bool ThunderLock { get; set; }

    [Option("no-orphans")]
    public bool NoOrphans { get; set; }

    [Option("log-level")]
    public string? LogLevel { get; set; }

    [Option("disable-logging")]
    public bool DisableLogging { get; set; }

    [Option("max-headers")]
    public string? MaxHeaders { get; set; }

    [Option("limit-post")]
    public string? LimitPost { get; set; }

    [Option("http-timeout")]
    public string? HttpTimeout { get; set; }

    [Option("headers-timeout")]
    public string? HeadersTimeout { get; set; }

    [Option("http-keepalive")]
    public string? HttpKeepalive { get; set; }

    [Option("max-connections")]
    public string? MaxConnections { get; set; }

    [Option("logto")]
    public string? LogTo { get; set; }

    [Option("req-logger")]
    public string? ReqLogger { get; set; }

    [Option("log-format")]
    public string? LogFormat { get; set; }

    [Option("log-json")]
    public bool LogJson { get; set; }

    [Option("log-x-forwarded-for")]
    public bool LogXForwardedFor { get; set; }

    [Option("log-4xx")]
    public bool Log4xx { get; set; }

    [Option("log-5xx")]
    public bool Log5xx { get; set; }

    [Option("log-slow")]
    public string? LogSlow { get; set; }

    [Option("log-big")]
    public string? LogBig { get; set; }

    [Option("log-zero")]
    public bool LogZero { get; set; }

    [Option("master")]
    public bool Master { get; set; }

    [Option("processes")]
    public string? Processes { get; set; }

    [Option("max-requests")]
    public string? MaxRequests { get; set; }

    [Option("max-requests-delta")]
    public string? MaxRequestsDelta { get; set; }

    [Option("reload-on-rss")]
    public string? ReloadOnRss { get; set; }

    [Option("min-worker-lifetime")]
    public string? MinWorkerLifetime { get; set; }

    [Option("worker-lifetime")]
    public string? WorkerLifetime { get; set; }

    [Option("max-worker-lifetime-delta")]
    public string? MaxWorkerLifetimeDelta { get; set; }

    [Option("touch-reload", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> TouchReload { get; set; } = [];

    [Option("py-autoreload")]
    public string? PyAutoreload { get; set; }

    [Option("py-autoreload-ignore", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> PyAutoreloadIgnore { get; set; } = [];

    [Option("locks")]
    public string? Locks { get; set; }

    [Option("cheaper")]
    public string? Cheaper { get; set; }

    [Option("cheaper-initial")]
    public string? CheaperInitial { get; set; }

    [Option("cheaper-step")]
    public string? CheaperStep { get; set; }

    [Option("cheaper-overload")]
    public string? CheaperOverload { get; set; }

    [Option("attach-daemon", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> AttachDaemon { get; set; } = [];

    [Option("cron", Separator = ArgumentRewriter.ListSeparator)]
    public IEnumerable<string> Cron { get; set; } = [];

    [Option("version")]
    public bool Version { get; set; }

    [Option("help")]
    public bool Help { get; set; }

    /// <summary>Arguments that are no options: the application, as uWSGI takes it.</summary>
    [Value(0)]
    public IEnumerable<string> Applications { get; set; } = [];
}
