namespace UGreen.Py.Server.Master;

/// <summary>
/// A worker's number and the processes that have it.
/// <para>Invariant: at most one process is <see cref="Current"/> and one <see cref="Next"/>; draining ones are in neither. Only one that is not ready yet is Next, and it becomes
/// Current the moment it is ready.</para>
/// </summary>
internal sealed class WorkerSlot(int number)
{
    /// <summary>From 1.</summary>
    public int Number { get; } = number;

    /// <summary>False: cheap, no process is wanted.</summary>
    public bool IsWanted { get; set; }

    /// <summary>The process that serves, or the first one that starts.</summary>
    public WorkerLife? Current { get; set; }

    /// <summary>The process that starts in order to replace <see cref="Current"/>.</summary>
    public WorkerLife? Next { get; set; }

    /// <summary>Starts that failed, one after the other.</summary>
    public int Failures { get; set; }

    /// <summary>When a start is tried again; null: none is waited for.</summary>
    public TimeSpan? RetryAt { get; set; }

    /// <summary>A process of it has served: further ones are respawns.</summary>
    public bool WasReady { get; set; }

    /// <summary>How often it was given another process since then.</summary>
    public int Respawns { get; set; }
}
