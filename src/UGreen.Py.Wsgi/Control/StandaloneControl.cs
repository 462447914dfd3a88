namespace UGreen.Py.Wsgi.Control;

/// <summary>A server that is one process: worker 1, without a master.</summary>
public sealed class StandaloneControl : IServerControl
{
    private readonly Action<string> _stop;
    private readonly RequestCounters? _counters;
    private readonly long _startedOn = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
    private volatile bool _isReady;
    private volatile IReadOnlyList<int> _sockets = [];

    /// <param name="stop">Asks the process for a graceful stop; gets the reason.</param>
    /// <param name="counters">The worker's board; null: nothing is counted.</param>
    public StandaloneControl(Action<string> stop, RequestCounters? counters = null) => (_stop, _counters) = (stop, counters);

    public int WorkerId => 1;

    public int WorkerCount => 1;

    public int MasterPid => 0;

    // SIGHUP replaces a process only where there is a master.
    public bool IsReloaded => false;

    public IReadOnlyList<int> Sockets
    {
        get => _sockets;
        set => _sockets = value;
    }

    public bool IsReady
    {
        get => _isReady;
        set => _isReady = value;
    }

    public bool IsLeader => true;

    public string? LockFile => null;

    public Action<int>? SignalReceived { get; set; }

    public long TotalRequests => _counters?.Requests ?? 0;

    public bool Reload(string reason) => false;

    public bool SourceChanged(string file) => false;

    public void Stop(string reason) => _stop(reason);

    public bool Signal(int number, int worker) => false;

    public IReadOnlyList<WorkerFigures> Workers()
    {
        var requests = TotalRequests;
        var running = _counters?.RunningMicroseconds ?? 0;
        var busy = _counters?.BusyCores ?? 0;
        var (resident, size) = Memory();
        return
        [
            new WorkerFigures
            {
                Id = 1,
                Pid = Environment.ProcessId,
                Requests = requests,
                DeltaRequests = requests,
                Exceptions = _counters?.Exceptions ?? 0,
                Harakiris = _counters?.Harakiris ?? 0,
                BusyCores = busy,
                Status = !_isReady ? "starting" : busy > 0 ? "busy" : "idle",
                ResidentBytes = resident,
                VirtualBytes = size,
                RunningMicroseconds = running,
                AverageMicroseconds = requests > 0 ? running / requests : 0,
                SentBytes = _counters?.SentBytes ?? 0,
                StartedOn = _startedOn,
            },
        ];
    }

    // Figures for people: without /proc they are 0, as for a worker that does not run.
    private static (long Resident, long Size) Memory()
    {
        try
        {
            var pages = File.ReadAllText("/proc/self/statm").Split(' ');
            return (long.Parse(pages[1], System.Globalization.CultureInfo.InvariantCulture) * Environment.SystemPageSize,
                long.Parse(pages[0], System.Globalization.CultureInfo.InvariantCulture) * Environment.SystemPageSize);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return (0, 0);
        }
    }
}
