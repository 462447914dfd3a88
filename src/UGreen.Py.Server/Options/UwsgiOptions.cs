namespace UGreen.Py.Server.Options;

/// <summary>Options that users of uWSGI are likely to bring along and that this server does not have: they deserve another answer than a spelling mistake.</summary>
internal static class UwsgiOptions
{
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "i", "T", "x",
        "asyncio", "cache", "cache2", "emperor", "fiber", "gevent",
        "greenlet", "loop", "memory-report", "mule", "offload-threads", "pidfile",
        "post-buffering", "queue", "sharedarea", "spooler",
        "stats", "threads", "tornado", "xml",
    };

    /// <param name="name">Without dashes.</param>
    public static bool Has(string name) => Names.Contains(name) || MoreUwsgiOptions.Names.Contains(name);
}
