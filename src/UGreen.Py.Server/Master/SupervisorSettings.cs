namespace UGreen.Py.Server.Master;

/// <summary>What the supervisor keeps to. Times are of its own clock.</summary>
internal sealed record SupervisorSettings
{
    /// <summary>Most workers: <c>--processes</c>.</summary>
    public required int Workers { get; init; }

    /// <summary>Workers that are started first; fewer than <see cref="Workers"/> with <c>--cheaper</c>.</summary>
    public required int Initial { get; init; }

    /// <summary>How long a worker may take to drain before it is killed.</summary>
    public TimeSpan Mercy { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A worker is not replaced for requests or memory before it has lived so long: an application that exceeds a limit at once must not become a storm of starts.</summary>
    public TimeSpan MinLifetime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>When a worker is replaced in any case; null: never.</summary>
    public TimeSpan? Lifetime { get; init; }

    /// <summary>What each worker adds to <see cref="Lifetime"/>, times its number, so that they do not all go at once.</summary>
    public TimeSpan LifetimeDelta { get; init; }

    /// <summary>The first start may fail without ending the server: sources are watched, and it is tried again when they change.</summary>
    public bool SurvivesFailedStart { get; init; }
}
