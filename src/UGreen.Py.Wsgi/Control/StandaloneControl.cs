namespace UGreen.Py.Wsgi.Control;

/// <summary>A server that is one process: worker 1, without a master.</summary>
public sealed class StandaloneControl : IServerControl
{
    private readonly Action<string> _stop;

    /// <param name="stop">Asks the process for a graceful stop; gets the reason.</param>
    public StandaloneControl(Action<string> stop) => _stop = stop;

    public int WorkerId => 1;

    public int WorkerCount => 1;

    public int MasterPid => 0;

    public bool IsReady { get; set; }

    public bool IsLeader => true;

    public string? LockFile => null;

    public Action<int>? SignalReceived { get; set; }

    public long TotalRequests { get; set; }

    public bool Reload(string reason) => false;

    public void Stop(string reason) => _stop(reason);

    public bool Signal(int number, int worker) => false;

    public IReadOnlyList<WorkerFigures> Workers() => [new WorkerFigures { Id = 1, Pid = Environment.ProcessId, Requests = TotalRequests, DeltaRequests = TotalRequests }];
}
