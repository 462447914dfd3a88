namespace UGreen.Py.Server.Master;

/// <summary>One worker process and what the supervisor knows of it.</summary>
internal sealed class WorkerLife(int worker, IWorkerProcess process, TimeSpan started)
{
    /// <summary>Its number, from 1.</summary>
    public int Worker { get; } = worker;

    public IWorkerProcess Process { get; } = process;

    public TimeSpan Started { get; } = started;

    /// <summary>How many reloads had begun when it was started.</summary>
    public required int Generation { get; init; }

    public WorkerState State { get; set; } = WorkerState.Starting;

    /// <summary>When it was ready; meaningless before.</summary>
    public TimeSpan ReadyAt { get; set; }

    /// <summary>What it said when it could not start.</summary>
    public string? Failure { get; set; }

    /// <summary>It could not be loaded, and lives only to see when its sources change; then it ends with exit code 0.</summary>
    public bool IsWaiting { get; set; }

    /// <summary>Why it shall be replaced, once it has lived long enough; null: it need not be.</summary>
    public string? RecycleReason { get; set; }

    /// <summary>What it said of its end: a stack that overflowed.</summary>
    public string? LastWords { get; set; }

    /// <summary>When a draining one is killed.</summary>
    public TimeSpan KillAt { get; set; }

    /// <summary>It was killed by the master; for the log.</summary>
    public string? KilledBecause { get; set; }

    /// <summary>When it has lived long enough in any case.</summary>
    public TimeSpan? RetireAt { get; set; }
}
