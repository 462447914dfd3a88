using System.Globalization;
using System.Text;
using UGreen.Py.Native;
using UGreen.Py.Server.Process;

namespace UGreen.Py.Server.Master;

/// <summary>
/// Starts workers: the same program again, with the listening sockets, the scoreboard and a channel to the master as its descriptors. Nothing is forked, because the CLR does not
/// survive it.
/// </summary>
internal sealed class WorkerLauncher : IWorkerLauncher
{
    // Descriptors of the worker: 0 to 2 are the master's own; systemd's sockets keep no number.
    private const int ChannelFd = 3;
    private const int ScoreboardFd = 4;
    private const int LockFd = 5;
    private const int OrderFd = 6;
    private const int FirstListener = 7;

    private readonly WorkerOrder _common;
    private readonly Scoreboard _board;
    private readonly SharedMemory _locks;
    private readonly IReadOnlyList<int> _listeners;
    private readonly Options.ProcessOptions _names;
    private readonly OwnProgram _program = OwnProgram.Find("--master");

    public WorkerLauncher(WorkerOrder common, Scoreboard board, SharedMemory locks, IReadOnlyList<int> listeners, Options.ProcessOptions names)
    {
        _common = common;
        _board = board;
        _locks = locks;
        _listeners = listeners;
        _names = names;
    }

    /// <summary>Runs something on the master's loop; any thread.</summary>
    public required Action<Action> Post { get; init; }

    /// <summary>See <see cref="WorkerProcess.Said"/>.</summary>
    public required Action<WorkerProcess, WorkerMessage> Said { get; init; }

    /// <summary>See <see cref="WorkerProcess.Broke"/>.</summary>
    public required Action<WorkerProcess, string> Broke { get; init; }

    /// <summary>See <see cref="WorkerProcess.Ended"/>.</summary>
    public required Action<WorkerProcess, EndStatus> Ended { get; init; }

    /// <summary>Who runs the workers; null: this program's executable.</summary>
    public required PythonHost? Host { get; init; }

    /// <summary>For what is shown of a worker.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>How often a worker was started again, this start included.</summary>
    public required Func<int, int> Respawns { get; init; }

    /// <summary>Whether the workers were replaced before.</summary>
    public required Func<bool> IsReload { get; init; }

    public IWorkerProcess Launch(int worker)
    {
        var row = _board.Take(worker, Time.GetUtcNow().ToUnixTimeSeconds(), Respawns(worker));
        if (row < 0) throw new WorkerStartException("too many workers are still draining");
        try
        {
            var (mine, theirs) = SocketPair.Create();
            var channel = new ControlChannel(mine);
            try
            {
                // As a file: it may be long, and nobody waits for who reads it.
                using var order = AnonymousFile.Create("ugreen-order", Encoding.UTF8.GetBytes(Order(worker, row).Write()));
                var pid = Spawn(worker, theirs, (int)order.DangerousGetHandle());
                _board.SetPid(row, pid);
                var process = new WorkerProcess(pid, row, channel, new WorkerVoice(_common.Layout.Workers), Post) { Said = Said, Broke = Broke, Ended = Ended };
                process.Watch();
                return process;
            }
            catch
            {
                channel.Dispose();
                throw;
            }
            finally
            {
                OutputDescriptor.Close(theirs);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _board.Release(row);
            throw new WorkerStartException(e.Message, e);
        }
    }

    private int Spawn(int worker, int channel, int order)
    {
        var descriptors = new Dictionary<int, int> { [ChannelFd] = channel, [ScoreboardFd] = _board.Fd, [LockFd] = _locks.Fd, [OrderFd] = order };
        for (var i = 0; i < _listeners.Count; i++) descriptors[FirstListener + i] = _listeners[i];
        var name = ProcessNames.Of(_names, $"worker {worker}") ?? string.Create(CultureInfo.InvariantCulture, $"ugreen-py worker {worker} of {Environment.ProcessId}");
        return PythonHost.Start(Host, new SpawnRequest
        {
            Path = _program.Path,
            Arguments = [name, .. _program.Before],
            Changes = new Dictionary<string, string?> { [WorkerOrder.Variable] = string.Create(CultureInfo.InvariantCulture, $"{ChannelFd}:{OrderFd}") },
            Descriptors = descriptors,
        });
    }

    private WorkerOrder Order(int worker, int row) => _common with
    {
        Worker = worker,
        IsReload = IsReload(),
        Row = row,
        ScoreboardFd = ScoreboardFd,
        LockFd = LockFd,
        Listeners = [.. Enumerable.Range(FirstListener, _listeners.Count)],
    };
}
