using UGreen.Py.Native;

namespace UGreen.Py.Server.Master;

/// <summary>A running worker. Two threads wait for it: one for what it says, one for its end; both post to the master's loop.</summary>
internal sealed class WorkerProcess : IWorkerProcess
{
    private const int KillSignal = 9;
    private const int ThreadStack = 256 * 1024;

    // What it said last is on its way while its end is known already.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly ControlChannel _channel;
    private readonly Action<Action> _post;

    // Held while a signal is sent and while the process is reaped: until that its pid cannot be another's.
    private readonly Lock _reaping = new();
    private bool _isGone;

    /// <param name="pid">The process.</param>
    /// <param name="row">Its row of the scoreboard.</param>
    /// <param name="channel">To it; taken over.</param>
    /// <param name="post">Runs something on the master's loop; any thread.</param>
    public WorkerProcess(int pid, int row, ControlChannel channel, Action<Action> post)
    {
        Pid = pid;
        Row = row;
        _channel = channel;
        _post = post;
    }

    public int Pid { get; }

    public int Row { get; }

    /// <summary>Gets each message; on the master's loop.</summary>
    public required Action<WorkerProcess, string[]> Said { get; init; }

    /// <summary>It has ended; on the master's loop, after everything that it said.</summary>
    public required Action<WorkerProcess, EndStatus> Ended { get; init; }

    public void Watch()
    {
        var listener = new Thread(Listen, ThreadStack) { IsBackground = true, Name = $"worker {Pid} says" };
        listener.Start();
        new Thread(() => WaitForEnd(listener), ThreadStack) { IsBackground = true, Name = $"worker {Pid} ends" }.Start();
    }

    public void Drain(string reason) => _channel.Send(Message.Drain, reason);

    public void Signal(int number) => _channel.Send(Message.Signal, number.ToString(System.Globalization.CultureInfo.InvariantCulture));

    public void Kill() => Kill(KillSignal);

    /// <summary>kill(2), while the pid is known to be its.</summary>
    public void Kill(int signal)
    {
        lock (_reaping)
        {
            if (!_isGone) _ = SpawnedProcess.Signal(Pid, signal);
        }
    }

    private void Listen()
    {
        while (_channel.Receive() is { } words) _post(() => Said(this, words));
    }

    private void WaitForEnd(Thread listener)
    {
        EndStatus status;
        try
        {
            // Its descriptor is readable when it has ended, before anybody reaps it.
            using (var ended = SpawnedProcess.OpenPidFd(Pid)) _ = FdWait.Poll((int)ended.DangerousGetHandle(), PollFd.In, -1);
            lock (_reaping)
            {
                _isGone = true;
                var end = SpawnedProcess.Wait(Pid);
                status = new EndStatus(end.ToString(), end is { IsExited: true, Code: 0 });
            }
        }
        catch (LinuxException e)
        {
            status = new EndStatus($"ended in a way that is not known ({e.Message})", IsClean: false);
        }

        // A program that it started may hold its end of the channel open.
        _ = listener.Join(LastWords);
        _channel.Dispose();
        _post(() => Ended(this, status));
    }
}
