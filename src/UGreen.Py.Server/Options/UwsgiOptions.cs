namespace UGreen.Py.Server.Options;

/// <summary>Options that users of uWSGI are likely to bring along and that this server does not have: they deserve another answer than a spelling mistake.</summary>
internal static class UwsgiOptions
{
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "i", "M", "p", "R", "T", "t", "x",
        "asyncio", "attach-daemon", "cache", "cache2", "cheaper", "cron", "emperor", "fiber", "gevent",
        "greenlet", "harakiri", "loop", "master", "max-requests", "memory-report", "mule", "offload-threads", "pidfile",
        "post-buffering", "processes", "py-autoreload", "queue", "reload-on-rss", "sharedarea", "spooler",
        "stats", "threads", "tornado", "touch-reload", "worker-reload-mercy", "workers", "xml",
    };

    /// <param name="name">Without dashes.</param>
    public static bool Has(string name) => Names.Contains(name) || MoreUwsgiOptions.Names.Contains(name);
}
