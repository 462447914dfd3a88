using System.Collections.Concurrent;
using UGreen.Py.Wsgi.Control;

namespace UGreen.Py.Wsgi.Tests;

/// <summary>A server of three workers as its second one sees it; notes what it is asked for.</summary>
internal sealed class FakeControl : IServerControl
{
    public ConcurrentQueue<string> Asked { get; } = new();

    public bool HasMaster { get; set; } = true;

    public int WorkerId => 2;

    public int WorkerCount => 3;

    public int MasterPid => HasMaster ? 4711 : 0;

    public bool IsReloaded => true;

    public IReadOnlyList<int> Sockets => [6, 7];

    public bool IsReady { get; set; } = true;

    public bool IsLeader { get; set; } = true;

    public string? LockFile => null;

    public Action<int>? SignalReceived { get; set; }

    public long TotalRequests => 1L << 40;

    public bool Reload(string reason)
    {
        Asked.Enqueue($"reload {reason}");
        return HasMaster;
    }

    public bool SourceChanged(string file)
    {
        Asked.Enqueue($"changed {file}");
        return HasMaster;
    }

    public void Stop(string reason) => Asked.Enqueue($"stop {reason}");

    public bool Signal(int number, int worker)
    {
        Asked.Enqueue($"signal {number} to {worker}");
        return HasMaster;
    }

    public IReadOnlyList<WorkerFigures> Workers() =>
    [
        new WorkerFigures { Id = 1, Pid = 101, Requests = 7, DeltaRequests = 3, Exceptions = 2, Harakiris = 1, BusyCores = 4, Status = "busy", ResidentBytes = 5L << 30, VirtualBytes = 6L << 30, RunningMicroseconds = 77, AverageMicroseconds = 11, SentBytes = 9, StartedOn = 1_700_000_000, Respawns = 5 },
        new WorkerFigures { Id = 2, Pid = 102, Status = "idle" },
        new WorkerFigures { Id = 3 },
    ];

    /// <summary>What was asked since the last call.</summary>
    public string TakeAsked()
    {
        var asked = new List<string>();
        while (Asked.TryDequeue(out var one)) asked.Add(one);
        return string.Join(", ", asked);
    }
}
