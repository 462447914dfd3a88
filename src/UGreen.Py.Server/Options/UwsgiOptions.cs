namespace UGreen.Py.Server.Options;

/// <summary>Options that users of uWSGI are likely to bring along and that this server does not have: they deserve another answer than a spelling mistake.</summary>
internal static class UwsgiOptions
{
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "M", "p", "t", "T", "i", "R", "x", "S",
        "add-header", "asyncio", "attach-daemon", "cache", "cache2", "cheaper", "check-static", "chmod-socket", "cron", "daemonize", "die-on-term", "emperor",
        "enable-threads", "env", "fiber", "forwarded-allow", "gevent", "gid", "greenlet", "harakiri", "http-keepalive", "http-socket", "http-timeout", "https", "import",
        "lazy", "lazy-apps", "limit-post", "listen", "log-format", "logformat", "logto", "loop", "manage-script-name", "master", "max-requests", "memory-report", "mount",
        "mule", "need-app", "offload-threads", "pidfile", "post-buffering", "processes", "procname-prefix", "py-autoreload", "queue", "reload-on-rss", "set", "sharedarea",
        "single-interpreter", "socket-timeout", "spooler", "static-map", "stats", "thunder-lock", "threads", "touch-reload", "tornado", "uid",
        "umask", "vacuum", "worker-reload-mercy", "workers", "xml",
    };

    /// <param name="name">Without dashes.</param>
    public static bool Has(string name) => Names.Contains(name) || MoreUwsgiOptions.Names.Contains(name);
}
