using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;
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

    private readonly WorkerOrder _order;
    private readonly ControlChannel _channel;
    private readonly Scoreboard _board;

    private WorkerRole(WorkerOrder order, ControlChannel channel, int channelFd)
    {
        _order = order;
        ChannelFd = channelFd;
        _channel = channel;
        _board = Scoreboard.Map(order.ScoreboardFd, order.Layout);
        Control = new MasterControl(order, channel, _board);
        foreach (var fd in order.Listeners.Append(order.ScoreboardFd).Append(order.LockFd)) _ = FileDescriptors.SetCloseOnExec(fd);
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
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var fd) || !FileDescriptors.SetCloseOnExec(fd))
            throw new StartupException($"{WorkerOrder.Variable}={text}: not an open descriptor; the variable is for workers, which a master starts");
        try
        {
            var channel = new ControlChannel(fd);
            return channel.Receive() is [Message.Order, var order] ? new WorkerRole(WorkerOrder.Read(order), channel, fd) : throw new StartupException("the master is gone");
        }
        catch (Exception e) when (e is SocketException or IOException or ArgumentException or JsonException or KeyNotFoundException)
        {
            throw new StartupException($"{WorkerOrder.Variable}={text}: no master is at the other end ({e.Message}); the variable is for workers, which a master starts", inner: e);
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
            LimitReached = () => _channel.Send(Message.Recycle, "it has served as many requests as --max-requests allows"),
        };
    }

    /// <exception cref="FrontException">The descriptors do not fit the options.</exception>
    public ListenerSet Listeners(HttpFrontOptions options) => ListenerSet.Adopt(options, _order.Listeners);

    /// <summary>This worker's part of the connections.</summary>
    public IConnectionShare Share => new ConnectionShare(_board, _order.Row);

    /// <summary>See <see cref="ServerHost.Linger"/>.</summary>
    public TimeSpan Linger() => _board.IsStopping ? TimeSpan.Zero : ReplacedLinger;

    public void Leaving() => _channel.Send(Message.Leaving, "SIGTERM");

    public void Failed(string message) => _channel.Send(Message.Failed, message);

    /// <summary>From now on the master is listened to.</summary>
    public void Listen(StopSignals signals, TimeSpan grace, ILogger logger)
        => new Thread(() => Listen(signals, logger, grace)) { IsBackground = true, Name = "master says" }.Start();

    private void Listen(StopSignals signals, ILogger logger, TimeSpan grace)
    {
        while (_channel.Receive() is { } words)
        {
            if (words is [Message.Drain, var reason]) signals.Request(reason);
            else if (words is [Message.Signal, var number]) Control.SignalReceived?.Invoke(int.Parse(number, CultureInfo.InvariantCulture));
        }

        MasterLog.MasterGone(logger, Number);
        signals.Request("the master is gone");
        // The drain ends the process; this is for one that hangs.
        using var never = new ManualResetEvent(false);
        _ = never.WaitOne(grace + OrphanTime);
        ProcessExit.Immediately(ExitCode.Failure);
    }
}
