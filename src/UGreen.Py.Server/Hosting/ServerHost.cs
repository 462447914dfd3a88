using Microsoft.Extensions.Logging;
using UGreen.Py.Front;
using UGreen.Py.Front.Sockets;
using UGreen.Py.Server.Logging;
using UGreen.Py.Server.Options;

namespace UGreen.Py.Server.Hosting;

/// <summary>
/// One worker process from start to end: 1. worker and front start side by side, 2. requests are let through, 3. it waits for a signal or the worker's death,
/// 4. the front drains, 5. the worker stops.
/// </summary>
internal sealed class ServerHost
{
    private readonly ServerOptions _options;
    private readonly IWorker _worker;
    private readonly IAccessLog? _accessLog;
    private readonly StopSignals _signals;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly TextWriter _announcements;
    private readonly TimeProvider _time;

    public ServerHost(
        ServerOptions options, IWorker worker, IAccessLog? accessLog, StopSignals signals, ILoggerFactory loggers, TextWriter announcements, TimeProvider time)
    {
        _options = options;
        _worker = worker;
        _accessLog = accessLog;
        _signals = signals;
        _loggers = loggers;
        _logger = loggers.CreateLogger(ServerLog.Category);
        _announcements = announcements;
        _time = time;
    }

    /// <summary>Called once, when the server answers requests.</summary>
    public Action? Ready { get; init; }

    /// <summary>Called with the descriptors of the listening sockets when they are open.</summary>
    public Action<IReadOnlyList<int>>? Bound { get; init; }

    /// <summary>What the process does for the outside; null: nothing.</summary>
    public Process.ProcessLife? Life { get; init; }

    /// <summary>Sockets that a master has opened; null: this process opens its own.</summary>
    public ListenerSet? Shared { get; init; }

    /// <summary>Shares connections with other processes; null: there are none.</summary>
    public IConnectionShare? Share { get; init; }

    /// <summary>False: the master says what there is to say at the start.</summary>
    public bool Announces { get; init; } = true;

    /// <summary>How long idle connections may stay at the end, for a request that is on its way; asked when it begins. Zero where nobody else would take the next one.</summary>
    public Func<TimeSpan> Linger { get; init; } = static () => TimeSpan.Zero;

    /// <returns>The exit code.</returns>
    /// <exception cref="StartupException">The application cannot be loaded.</exception>
    /// <exception cref="FrontException">An address cannot be bound.</exception>
    public async Task<int> RunAsync()
    {
        if (_options.UgreenImplied && Announces) ServerLog.UgreenImplied(_logger, _options.Cores);

        // Only when it was asked for: the default must not warn on a machine with a small limit.
        if (Announces && _options.Given.ContainsKey("listen") && KernelBacklog.Limit() is { } limit && limit < _options.Backlog) ServerLog.BacklogCut(_logger, _options.Backlog, limit);

        var connections = _options.Limits.Connections ?? DescriptorBudget.Connections(_options.Cores);

        // :: Step 1: side by side; the error that comes first is the one that is told.
        var gate = new StartGate(_worker, Math.Max(_options.QueueLimit, _options.Cores));
        await using var front = new HttpFront(FrontSettings.Of(_options, connections) with { Share = Share }, ApplicationChain.Build(_options, gate, _loggers), _accessLog, _loggers, Shared);
        await StartAsync(front).ConfigureAwait(false);
        if (Announces && connections is { } few && few <= _options.Cores) ServerLog.FewConnections(_logger, few, _options.Cores);

        // :: Step 2
        gate.Open();
        // First: whoever reads the announcement may send a signal at once.
        _signals.BeginGraceful();
        Announce(front);
        Ready?.Invoke();
        Life?.Serving(_worker.RespondsAsync);

        // :: Step 3
        if (await Task.WhenAny(_signals.Requested, _worker.Completion).ConfigureAwait(false) == _worker.Completion) return Dead();
        var signal = await _signals.Requested.ConfigureAwait(false);

        // :: Steps 4 and 5
        Life?.Stopping();
        await StopAsync(front, signal).ConfigureAwait(false);
        return ExitCode.Success;
    }

    private async Task StartAsync(HttpFront front)
    {
        var bind = BindAsync(front);
        if (Life is { SocketsComeFirst: true }) await bind.ConfigureAwait(false);
        // On the pool (the front does it itself): what either does before its first wait (JIT, sockets, dlopen) must not hold up the other.
        var worker = Task.Run(_worker.StartAsync);
        await (await Task.WhenAny(worker, bind).ConfigureAwait(false)).ConfigureAwait(false);
        await Task.WhenAll(worker, bind).ConfigureAwait(false);
    }

    private async Task BindAsync(HttpFront front)
    {
        await front.StartAsync().ConfigureAwait(false);
        Bound?.Invoke(front.Descriptors);
        Life?.SocketsOpened();
        // With one processor it would only be in Python's way. Nobody waits for it: what it has not come to, the first request does.
        if (Environment.ProcessorCount > 1) _ = FrontWarmUp.RunAsync(FrontSettings.Of(_options, null), _logger);
    }

    private void Announce(HttpFront front)
    {
        if (_options.LogLevel == LogLevel.None || !Announces) return;
        if (_options.LogLevel <= LogLevel.Information) _announcements.Write(StartBlock.Build(_options, _worker.PythonVersion, Environment.ProcessId));
        _announcements.Write(StartBlock.Listening(front.Addresses));
        _announcements.Flush();
    }

    private async Task StopAsync(HttpFront front, string signal)
    {
        var grace = _options.ShutdownTimeout;
        if (Announces) ServerLog.Stopping(_logger, signal, grace.TotalSeconds);
        var begun = _time.GetTimestamp();

        // Before the front waits: its open streams are what the application is to end.
        _worker.BeginDrain();
        using var giveUp = new CancellationTokenSource(grace, _time);
        await front.DrainAsync(Linger(), giveUp.Token).ConfigureAwait(false);
        if (giveUp.IsCancellationRequested) ServerLog.GraceOver(_logger);

        // Requests that were cut still have their close() and finally blocks to run.
        var left = grace - _time.GetElapsedTime(begun);
        await _worker.StopAsync(left > MinWorkerGrace ? left : MinWorkerGrace).ConfigureAwait(false);
        if (Announces) ServerLog.Stopped(_logger);
    }

    private static readonly TimeSpan MinWorkerGrace = TimeSpan.FromSeconds(1);

    private int Dead()
    {
        var error = _worker.Completion.Exception?.GetBaseException();
        ServerLog.WorkerDied(_logger, error?.Message ?? "it stopped by itself");
        if (error is not null) ServerLog.Details(_logger, error);
        return ExitCode.Failure;
    }
}
