using System.Globalization;
using UGreen.Py.Wsgi.Control;

namespace UGreen.Py.Server.Master;

/// <summary>The server as a worker under a master sees it.</summary>
internal sealed class MasterControl(WorkerOrder order, ControlChannel channel, Scoreboard board) : IServerControl
{
    private volatile bool _isReady;

    public int WorkerId => order.Worker;

    public int WorkerCount => order.Layout.Workers;

    public int MasterPid => order.MasterPid;

    public bool IsReloaded => order.IsReload;

    public IReadOnlyList<int> Sockets => order.Listeners;

    public bool IsReady => _isReady;

    public bool IsLeader => board.Leader == order.Row;

    // A file without a name, which is opened by way of the descriptor; each open gives a description of its own, and locks belong to those.
    public string? LockFile { get; } = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{order.LockFd}");

    public Action<int>? SignalReceived { get; set; }

    public long TotalRequests => board.TotalRequests;

    public bool Reload(string reason) => channel.Send(new WorkerMessage.Reload(reason).Write());

    public bool SourceChanged(string file) => channel.Send(new WorkerMessage.SourceChanged(file).Write());

    public void Stop(string reason) => channel.Send(new WorkerMessage.Stop(reason).Write());

    public bool Signal(int number, int worker)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(number, (byte)number);
        ArgumentOutOfRangeException.ThrowIfNegative(worker);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(worker, WorkerCount);
        return channel.Send(new WorkerMessage.Signal((byte)number, (ushort)worker).Write());
    }

    public IReadOnlyList<WorkerFigures> Workers() => board.Workers();

    /// <summary>Requests are served.</summary>
    public void Serving(string pythonVersion)
    {
        _isReady = true;
        channel.Send(new WorkerMessage.Ready(pythonVersion).Write());
    }
}
