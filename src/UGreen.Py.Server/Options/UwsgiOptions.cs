namespace UGreen.Py.Server.Options;

/// <summary>Options that users of uWSGI are likely to bring along and that this server does not have: they deserve another answer than a spelling mistake.</summary>
internal static class UwsgiOptions
{
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "M", "p", "t", "T", "i", "R", "x", "y", "j",
        "asyncio", "attach-daemon", "cache", "cache2", "cheaper", "chmod-socket", "cron", "daemonize", "die-on-term", "emperor",
        "enable-threads", "fiber", "forwarded-allow", "gevent", "gid", "greenlet", "harakiri", "http-keepalive", "http-socket", "http-timeout", "https", "ini",
        "json", "lazy", "lazy-apps", "limit-post", "listen", "log-format", "logformat", "logto", "loop", "master", "max-requests", "memory-report",
        "mule", "offload-threads", "pidfile", "post-buffering", "processes", "procname-prefix", "py-autoreload", "queue", "reload-on-rss", "sharedarea",
        "show-config", "single-interpreter", "socket-timeout", "spooler", "stats", "strict", "thunder-lock", "threads", "touch-reload", "tornado", "uid",
        "umask", "vacuum", "worker-reload-mercy", "workers", "xml", "yaml", "yml",
    };

    /// <param name="name">Without dashes.</param>
    public static bool Has(string name) => Names.Contains(name);
}
