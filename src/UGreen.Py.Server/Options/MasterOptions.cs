namespace UGreen.Py.Server.Options;

/// <summary>Whether there is a master, and what it keeps to.</summary>
internal sealed record MasterOptions
{
    /// <summary>False: one process does everything.</summary>
    public bool IsEnabled { get; init; }

    /// <summary>The option that asked for a master without --master; null: none did.</summary>
    public string? ImpliedBy { get; init; }

    /// <summary>Most worker processes.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Requests after which a worker is replaced; 0: none.</summary>
    public long MaxRequests { get; init; }

    /// <summary>What each worker adds to it, times its number.</summary>
    public long MaxRequestsDelta { get; init; }

    public TimeSpan MinLifetime { get; init; } = TimeSpan.FromSeconds(OptionDefaults.MinWorkerLifetimeSeconds);

    /// <summary>Null: no limit.</summary>
    public TimeSpan? Lifetime { get; init; }

    public TimeSpan LifetimeDelta { get; init; }

    /// <summary>Resident memory in bytes above which a worker is replaced; null: no limit.</summary>
    public long? ReloadOnRss { get; init; }

    /// <summary>Fewest workers; null: always all.</summary>
    public int? Cheaper { get; init; }

    /// <summary>Workers to begin with.</summary>
    public int Initial { get; init; } = 1;

    /// <summary>Workers that are started at once when there are too few.</summary>
    public int CheaperStep { get; init; } = 1;

    /// <summary>For how long the workers must be busy, or idle, before their number changes.</summary>
    public TimeSpan CheaperOverload { get; init; } = TimeSpan.FromSeconds(OptionDefaults.CheaperOverloadSeconds);

    /// <summary>Absolute paths: when one of them changes, all workers are replaced.</summary>
    public IReadOnlyList<string> TouchReload { get; init; } = [];

    /// <summary>How often workers look whether files of the application have changed; null: never.</summary>
    public TimeSpan? Autoreload { get; init; }

    /// <summary>Modules and packages that may change.</summary>
    public IReadOnlyList<string> AutoreloadIgnore { get; init; } = [];

    /// <summary>Commands that run beside the server, once for all workers.</summary>
    public IReadOnlyList<string> Daemons { get; init; } = [];

    /// <summary>Commands that run by the calendar, once for all workers.</summary>
    public IReadOnlyList<CronEntry> Crons { get; init; } = [];
}
