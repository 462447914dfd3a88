using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using UGreen.Py.Native;

namespace UGreen.Py.Server.Master;

/// <summary>A running worker. Two threads wait for it: one for what it says, one for its end; both post to the master's loop.</summary>
[SuppressMessage("Reliability", "CA1001:Types that own disposable fields should be disposable", Justification = "Neither has a wait handle of the system's, and two threads use them to the last.")]
internal sealed class WorkerProcess : IWorkerProcess
{
    private const int KillSignal = 9;
    private const int ThreadStack = 256 * 1024;

    // What it said last is on its way while its end is known already.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    // A worker that says more than this is heard more slowly: what it has to say piles up with itself. Signals of the uwsgi module, of which there may be many, count once while they wait.
    private const int MostAtOnce = 256;
    private static readonly TimeSpan MostTime = TimeSpan.FromMilliseconds(250);

    // What has been received and has not had its turn on the loop.
    private const int MostUnheard = 8;

    private readonly ControlChannel _channel;
    private readonly WorkerVoice _voice;
    private readonly Action<Action> _post;
    private readonly SemaphoreSlim _unheard = new(MostUnheard);
    private readonly ManualResetEventSlim _end = new();

    // Held while a signal is sent and while the process is reaped: until that its pid cannot be another's.
    private readonly Lock _reaping = new();
    private bool _isGone;

    /// <param name="pid">The process.</param>
    /// <param name="row">Its row of the scoreboard.</param>
    /// <param name="channel">To it; taken over.</param>
    /// <param name="voice">What it may say.</param>
    /// <param name="post">Runs something on the master's loop; any thread.</param>
    public WorkerProcess(int pid, int row, ControlChannel channel, WorkerVoice voice, Action<Action> post)
    {
        Pid = pid;
        Row = row;
        _channel = channel;
        _voice = voice;
        _post = post;
    }

    public int Pid { get; }

    public int Row { get; }

    /// <summary>Gets each message; on the master's loop.</summary>
    public required Action<WorkerProcess, WorkerMessage> Said { get; init; }

    /// <summary>It has broken its channel, and nothing more is heard from it, though it may still be told something; gets what it did. On the master's loop, at most once.</summary>
    public required Action<WorkerProcess, string> Broke { get; init; }

    /// <summary>It has ended; on the master's loop, after everything that it said.</summary>
    public required Action<WorkerProcess, EndStatus> Ended { get; init; }

    public void Watch()
    {
        var listener = new Thread(Listen, ThreadStack) { IsBackground = true, Name = $"worker {Pid} says" };
        listener.Start();
        new Thread(() => WaitForEnd(listener), ThreadStack) { IsBackground = true, Name = $"worker {Pid} ends" }.Start();
    }

    public void Drain(string reason) => _channel.Send(new MasterMessage.Drain(reason).Write());

    public void Signal(byte number) => _channel.Send(new MasterMessage.Signal(number).Write());

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
        var buffer = new byte[ControlChannel.MostBytes + 1];
        var begun = Stopwatch.GetTimestamp();
        for (var heard = 1; _channel.Receive(buffer) is var bytes && bytes > 0; heard++)
        {
            var message = WorkerMessage.Read(buffer.AsSpan(0, bytes), out var wrong);
            if (message is not null) wrong = _voice.Objection(message);
            if (wrong is not null)
            {
                Break($"it sent a message {wrong}");
                return;
            }

            _unheard.Wait();
            _post(() => Hear(message!));
            if (heard % MostAtOnce != 0) continue;
            if (MostTime - Stopwatch.GetElapsedTime(begun) is { Ticks: > 0 } rest) _end.Wait(rest);
            begun = Stopwatch.GetTimestamp();
        }

        // The end of a process comes with it.
        if (!_end.Wait(LastWords)) Break("it has closed it");
    }

    private void Hear(WorkerMessage message)
    {
        try
        {
            Said(this, message);
        }
        finally
        {
            _unheard.Release();
        }
    }

    private void Break(string how)
    {
        _channel.StopListening();
        _post(() => Broke(this, how));
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

        _end.Set();
        // A program that it started may hold its end of the channel open.
        _ = listener.Join(LastWords);
        _channel.Dispose();
        _post(() => Ended(this, status));
    }
}
