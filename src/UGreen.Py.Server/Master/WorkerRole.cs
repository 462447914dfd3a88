using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using UGreen.Py.Front;
using UGreen.Py.Front.Sockets;
using UGreen.Py.Native;
using UGreen.Py.Server.Hosting;
using UGreen.Py.Server.Options;

namespace UGreen.Py.Server.Master;

/// <summary>
/// A process that a master has started: its order, and what it says to the master. A worker whose master dies drains and ends, so none is left over.
/// </summary>
internal sealed class WorkerRole
{
    // On top of what a drain may take: whatever holds it up, no orphan stays.
    private static readonly TimeSpan OrphanTime = TimeSpan.FromSeconds(10);

    // For the next request of a client that has not been told yet: many times what a network takes, and no burden for a reload.
    private static readonly TimeSpan ReplacedLinger = TimeSpan.FromSeconds(1);

    // Above the numbers that programs go through which mean to close or look at all that they have open.
    private const int AboveMost = 1024;

    private readonly WorkerOrder _order;
    private readonly ControlChannel _channel;
    private readonly Scoreboard _board;

    private WorkerRole(WorkerOrder order, ControlChannel channel, int channelFd)
    {
        _order = order;
        ChannelFd = channelFd;
        _channel = channel;
        _board = Scoreboard.Map(order.ScoreboardFd, order.Layout);
        // It is mapped.
        OutputDescriptor.Close(order.ScoreboardFd);
        Control = new MasterControl(order, channel, _board);
        foreach (var fd in order.Listeners.Append(order.LockFd)) _ = FileDescriptors.SetCloseOnExec(fd);
    }

    public MasterControl Control { get; }

    /// <summary>Descriptor of the channel to the master, for the report of a stack overflow, which can write but not wait.</summary>
    public int ChannelFd { get; }

    /// <summary>Number of the worker, from 1.</summary>
    public int Number => _order.Worker;

    /// <summary>The role of this process when a master started it, otherwise null. Waits for the order.</summary>
    /// <exception cref="StartupException">There is no master at the other end.</exception>
    public static WorkerRole? Take()
    {
        if (Environment.GetEnvironmentVariable(WorkerOrder.Variable) is not { } text) return null;
        ProcessEnvironment.Remove(WorkerOrder.Variable);
        if (text.Split(':') is not [var first, var second] || Descriptor(first) is not { } channel || Descriptor(second) is not { } order)
            throw new StartupException($"{WorkerOrder.Variable}={text}: not two open descriptors; the variable is for workers, which a master starts");
        try
        {
            var fd = FileDescriptors.MoveUp(channel, AboveMost);
            return new WorkerRole(ReadOrder(order), new ControlChannel(fd), fd);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException or NotSupportedException)
        {
            throw new StartupException($"{WorkerOrder.Variable}={text}: no order of a master ({e.Message}); the variable is for workers, which a master starts", inner: e);
        }
    }

    /// <summary>The command line, as the master read it.</summary>
    public CommandLineResult Parse() => ServerCommandLine.ParseCompleted(_order.Arguments, _order.Other, Surroundings.Real with { PassedSockets = _order.Passed });

    /// <summary>The board for this worker's requests.</summary>
    public WorkerBoard Board(ServerOptions options)
    {
        var limit = options.Master.MaxRequests;
        return new WorkerBoard(_board.Memory, _order.Layout, _order.Row)
        {
            Limit = limit == 0 ? 0 : limit + (options.Master.MaxRequestsDelta * Number),
            LimitReached = () => _channel.Send(new WorkerMessage.RequestsServed().Write()),
        };
    }

    /// <exception cref="FrontException">The descriptors do not fit the options.</exception>
    public ListenerSet Listeners(HttpFrontOptions options) => ListenerSet.Adopt(options, _order.Listeners);

    /// <summary>This worker's part of the connections.</summary>
    public IConnectionShare Share => new ConnectionShare(_board, _order.Row);

    /// <summary>See <see cref="ServerHost.Linger"/>.</summary>
    public TimeSpan Linger() => _board.IsStopping ? TimeSpan.Zero : ReplacedLinger;

    public void Leaving() => _channel.Send(new WorkerMessage.Leaving().Write());

    public void Failed(string message) => _channel.Send(new WorkerMessage.Failed(message).Write());

    /// <summary>From now on the master is listened to.</summary>
    public void Listen(StopSignals signals, TimeSpan grace, ILogger logger)
        => new Thread(() => Listen(signals, logger, grace)) { IsBackground = true, Name = "master says" }.Start();

    private static int? Descriptor(string text)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var fd) && FileDescriptors.SetCloseOnExec(fd) ? fd : null;

    private static WorkerOrder ReadOrder(int fd)
    {
        using var file = new SafeFileHandle(fd, ownsHandle: true);
        var bytes = new byte[RandomAccess.GetLength(file)];
        var read = RandomAccess.Read(file, bytes, 0);
        return WorkerOrder.Read(Encoding.UTF8.GetString(bytes, 0, read));
    }

    private void Listen(StopSignals signals, ILogger logger, TimeSpan grace)
    {
        var buffer = new byte[ControlChannel.MostBytes + 1];
        while (_channel.Receive(buffer) is var bytes && bytes > 0)
        {
            switch (MasterMessage.Read(buffer.AsSpan(0, bytes)))
            {
                case MasterMessage.Drain drain:
                    signals.Request(drain.Reason);
                    continue;
                case MasterMessage.Signal signal:
                    Control.SignalReceived?.Invoke(signal.Number);
                    continue;
            }

            MasterLog.NotOfTheMaster(logger, Number);
            break;
        }

        MasterLog.MasterGone(logger, Number);
        signals.Request("the master is gone");
        // The drain ends the process; this is for one that hangs.
        using var never = new ManualResetEvent(false);
        _ = never.WaitOne(grace + OrphanTime);
        ProcessExit.Immediately(ExitCode.Failure);
    }
}
