using UGreen.Py.Native;
using UGreen.Py.Wsgi.Control;

namespace UGreen.Py.Server.Master;

/// <summary>
/// What each worker does, in memory that all processes of the server share: who replaces a dead worker can still read which requests it was running. See
/// <see cref="ScoreboardLayout"/>.
/// <para>Readers may see a request that begins or ends just now half written; nothing but a log line depends on it.</para>
/// <para>Invariant: the application of a worker can write any bytes to any place in it, so no number that is read from it is an index or a promise: it may make a log line, a figure or a
/// worker's end wrong, and nothing else. The master keeps what it has written itself, and <see cref="Renew"/> writes it again.</para>
/// </summary>
internal sealed class Scoreboard
{
    // A log line that names more requests than these helps nobody.
    private const int MostTold = 20;

    private readonly SharedMemory _memory;
    private readonly ScoreboardLayout _layout;

    // The master's, of each row.
    private readonly RowFacts[] _facts;
    private int _leader = -1;
    private bool _isStopping;

    private Scoreboard(SharedMemory memory, ScoreboardLayout layout)
    {
        _memory = memory;
        _layout = layout;
        _facts = new RowFacts[layout.Rows];
    }

    private record struct RowFacts(int Worker, long StartedOn, int Respawns, int Pid, WorkerState State)
    {
        public readonly bool IsFree => Worker == 0;
    }

    /// <summary>The descriptor by which workers map it.</summary>
    public int Fd => _memory.Fd;

    public ScoreboardLayout Layout => _layout;

    public SharedMemory Memory => _memory;

    /// <summary>Nanoseconds of CLOCK_MONOTONIC, the clock of all times in it.</summary>
    public static long Now => System.Diagnostics.Stopwatch.GetTimestamp() * (1_000_000_000 / System.Diagnostics.Stopwatch.Frequency);

    /// <exception cref="LinuxException">No memory.</exception>
    public static Scoreboard Create(ScoreboardLayout layout) => new(SharedMemory.Create("ugreen-scoreboard", checked((int)layout.Bytes)), layout);

    /// <exception cref="LinuxException">The descriptor is not the scoreboard.</exception>
    public static Scoreboard Map(int fd, ScoreboardLayout layout) => new(SharedMemory.Map(fd, checked((int)layout.Bytes)), layout);

    /// <summary>Row of the leader; -1: there is none. Set by the master.</summary>
    public int Leader
    {
        get => (int)Volatile.Read(ref _memory.Word(ScoreboardLayout.Leader)) - 1;
        set
        {
            _leader = value;
            Volatile.Write(ref _memory.Word(ScoreboardLayout.Leader), value + 1);
        }
    }

    /// <summary>The whole server stops. Set by the master.</summary>
    public bool IsStopping
    {
        get => Volatile.Read(ref _memory.Word(ScoreboardLayout.Stopping)) != 0;
        set
        {
            _isStopping = value;
            Volatile.Write(ref _memory.Word(ScoreboardLayout.Stopping), value ? 1 : 0);
        }
    }

    /// <summary>The master takes a free row for a process that it is about to start.</summary>
    /// <returns>-1: none is free.</returns>
    public int Take(int worker, long startedOn, int respawns)
    {
        var row = Array.FindIndex(_facts, facts => facts.IsFree);
        if (row < 0) return -1;
        _memory.Span(_layout.Row(row), _layout.Core(row, _layout.Cores) - _layout.Row(row)).Clear();
        _facts[row] = new RowFacts(worker, startedOn, respawns, 0, WorkerState.Starting);
        WriteFacts(row);
        return row;
    }

    /// <summary>The master's.</summary>
    public void SetPid(int row, int pid)
    {
        _facts[row].Pid = pid;
        WriteFacts(row);
    }

    /// <summary>The master's.</summary>
    public void SetState(int row, WorkerState state)
    {
        _facts[row].State = state;
        WriteFacts(row);
    }

    /// <summary>The process of the row has ended: its figures are added to those of its worker, and the row is free. The master's.</summary>
    public void Release(int row)
    {
        var worker = _facts[row].Worker;
        for (var figure = Figure.Requests; figure < Figure.Busy; figure++) _memory.Word(ScoreboardLayout.PastOf(worker, figure)) += Count(row, figure);
        _facts[row] = default;
        WriteFacts(row);
    }

    /// <summary>The master writes again what it has written before.</summary>
    public void Renew()
    {
        Leader = _leader;
        IsStopping = _isStopping;
        for (var row = 0; row < _layout.Rows; row++) WriteFacts(row);
    }

    /// <summary>Requests that run in this row's process; not more than it has cores.</summary>
    public long Busy(int row) => Math.Clamp(Count(row, Figure.Busy), 0, _layout.Cores);

    /// <summary>Open connections of a row's process.</summary>
    public long Connections(int row) => Get(row, ScoreboardLayout.Connections);

    /// <summary>Of all workers that serve, but for one; as many as can be when there is no other.</summary>
    public long FewestConnections(int except)
    {
        var fewest = long.MaxValue;
        for (var row = 0; row < _layout.Rows; row++)
        {
            if (row != except && Get(row, ScoreboardLayout.State) == (long)WorkerState.Ready) fewest = Math.Min(fewest, Connections(row));
        }

        return fewest;
    }

    /// <summary>Any thread of the row's process.</summary>
    public void AddConnections(int row, int change) => Interlocked.Add(ref _memory.Word(_layout.Row(row) + ScoreboardLayout.Connections), change);

    /// <summary>The oldest requests of a row, the oldest first; at most 20.</summary>
    public IReadOnlyList<RunningRequest> Running(int row)
    {
        var found = new List<RunningRequest>();
        for (var core = 0; core < _layout.Cores; core++)
        {
            if (Read(row, core) is { } request) found.Add(request);
        }

        return [.. found.OrderByDescending(r => r.Age).Take(MostTold)];
    }

    /// <summary>A request that should have been over; null: none.</summary>
    public RunningRequest? Overdue(int row)
    {
        if (Get(row, ScoreboardLayout.HasKillTimes) == 0) return null;
        var now = Now;
        for (var core = 0; core < _layout.Cores; core++)
        {
            var at = _layout.Core(row, core);
            var killTime = Volatile.Read(ref _memory.Word(at + ScoreboardLayout.KillTime));
            if (killTime != 0 && now > killTime && Read(row, core) is { } request) return request;
        }

        return null;
    }

    /// <summary>For <c>uwsgi.workers()</c>.</summary>
    public IReadOnlyList<WorkerFigures> Workers() => [.. Enumerable.Range(1, _layout.Workers).Select(FiguresOf)];

    /// <summary>Requests that all workers have finished, those of ended processes included.</summary>
    public long TotalRequests
    {
        get
        {
            long total = 0;
            for (var worker = 1; worker <= _layout.Workers; worker++) total += _memory.Word(ScoreboardLayout.PastOf(worker, Figure.Requests));
            for (var row = 0; row < _layout.Rows; row++) total += Get(row, ScoreboardLayout.State) == 0 ? 0 : Count(row, Figure.Requests);
            return total;
        }
    }

    private long Get(int row, int offset) => Volatile.Read(ref _memory.Word(_layout.Row(row) + offset));

    private void Set(int row, int offset, long value) => Volatile.Write(ref _memory.Word(_layout.Row(row) + offset), value);

    private void WriteFacts(int row)
    {
        var facts = _facts[row];
        Set(row, ScoreboardLayout.Worker, facts.Worker);
        Set(row, ScoreboardLayout.StartedOn, facts.StartedOn);
        Set(row, ScoreboardLayout.Respawns, facts.Respawns);
        Set(row, ScoreboardLayout.Pid, facts.Pid);
        // Last: it says that the others are there.
        Set(row, ScoreboardLayout.State, (long)facts.State);
    }

    private long Count(int row, Figure figure) => Get(row, ScoreboardLayout.Figures + ((int)figure * 8));

    private RunningRequest? Read(int row, int core)
    {
        var at = _layout.Core(row, core);
        if (Volatile.Read(ref _memory.Word(at + ScoreboardLayout.Busy)) == 0) return null;
        var lengths = Volatile.Read(ref _memory.Word(at + ScoreboardLayout.Lengths));
        var method = _memory.Span(at + ScoreboardLayout.Method, (int)Math.Min(lengths & 0xFF, ScoreboardLayout.MethodBytes));
        var target = _memory.Span(at + ScoreboardLayout.Target, (int)Math.Min((lengths >> 8) & 0xFF, ScoreboardLayout.TargetBytes));
        var age = Now - Volatile.Read(ref _memory.Word(at + ScoreboardLayout.Since));
        var call = _memory.Span(at + ScoreboardLayout.Call, (int)Math.Clamp(Volatile.Read(ref _memory.Word(at + ScoreboardLayout.CallLength)), 0, ScoreboardLayout.CallBytes));
        return new RunningRequest(core, Text(method), Text(target), TimeSpan.FromTicks(Math.Max(age, 0) / 100), Text(call));
    }

    private static string Text(ReadOnlySpan<byte> bytes) => System.Text.Encoding.Latin1.GetString(bytes);

    private WorkerFigures FiguresOf(int worker)
    {
        // While one replaces another there are two; the one that serves is shown.
        var row = Enumerable.Range(0, _layout.Rows).Where(r => Get(r, ScoreboardLayout.State) != 0 && Get(r, ScoreboardLayout.Worker) == worker)
            .OrderBy(r => Get(r, ScoreboardLayout.State) switch { (long)WorkerState.Ready => 0, (long)WorkerState.Draining => 1, _ => 2 }).Select(r => (int?)r).FirstOrDefault();
        long Past(Figure figure) => Volatile.Read(ref _memory.Word(ScoreboardLayout.PastOf(worker, figure)));
        long Here(Figure figure) => row is { } r ? Count(r, figure) : 0;
        long Sum(Figure figure) => Past(figure) + Here(figure);
        var (resident, whole) = row is { } of ? ProcessMemory.Of((int)Get(of, ScoreboardLayout.Pid)) : default;
        var requests = Sum(Figure.Requests);
        return new WorkerFigures
        {
            Id = worker,
            Pid = row is { } p ? (int)Get(p, ScoreboardLayout.Pid) : 0,
            Requests = requests,
            DeltaRequests = Here(Figure.Requests),
            Exceptions = Sum(Figure.Exceptions),
            Harakiris = Sum(Figure.Harakiris),
            SentBytes = Sum(Figure.SentBytes),
            BusyCores = (int)Here(Figure.Busy),
            Status = row is { } s ? StatusOf(s) : "cheap",
            ResidentBytes = resident,
            VirtualBytes = whole,
            RunningMicroseconds = Sum(Figure.RunningTime) / 1000,
            AverageMicroseconds = requests == 0 ? 0 : Sum(Figure.RunningTime) / 1000 / requests,
            StartedOn = row is { } o ? Get(o, ScoreboardLayout.StartedOn) : 0,
            Respawns = row is { } n ? (int)Get(n, ScoreboardLayout.Respawns) : 0,
        };
    }

    private string StatusOf(int row) => (WorkerState)Get(row, ScoreboardLayout.State) switch
    {
        WorkerState.Starting => "starting",
        WorkerState.Draining => "draining",
        _ => Busy(row) > 0 ? "busy" : "idle",
    };
}
