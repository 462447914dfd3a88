namespace UGreen.Py.Server.Options;

/// <summary>Options that users of uWSGI are likely to bring along and that this server does not have: they deserve another answer than a spelling mistake.</summary>
internal static class UwsgiOptions
{
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "M", "p", "t", "T", "i", "R", "x", "y", "j", "S",
        "add-header", "asyncio", "attach-daemon", "cache", "cache2", "cheaper", "check-static", "cron", "daemonize", "die-on-term", "emperor",
        "enable-threads", "env", "fiber", "gevent", "gid", "greenlet", "harakiri", "import", "ini",
        "json", "lazy", "lazy-apps", "log-format", "logformat", "logto", "loop", "manage-script-name", "master", "max-requests", "memory-report", "mount",
        "mule", "need-app", "offload-threads", "pidfile", "post-buffering", "processes", "procname-prefix", "py-autoreload", "queue", "reload-on-rss", "set", "sharedarea",
        "show-config", "single-interpreter", "spooler", "static-map", "stats", "strict", "thunder-lock", "threads", "touch-reload", "tornado", "uid",
        "umask", "vacuum", "worker-reload-mercy", "workers", "xml", "yaml", "yml",
    };

    /// <param name="name">Without dashes.</param>
    public static bool Has(string name) => Names.Contains(name);
}
