using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using UGreen.Py.Native;
using UGreen.Py.Server.Hosting;
using UGreen.Py.Server.Logging;
using UGreen.Py.Server.Options;

namespace UGreen.Py.Server.Process;

/// <summary>
/// What a server does for the outside at each step of its life, in this order: <see cref="Begin"/>, <see cref="SocketsOpened"/>, <see cref="Serving"/>, <see cref="Stopping"/>,
/// <see cref="Ended"/>. One for a server: of the process that opens the sockets.
/// </summary>
[SuppressMessage("Reliability", "CA1001:Types that own disposable fields should be disposable", Justification = "Ended stops the watchdog; the object lives as long as the process.")]
internal sealed class ProcessLife
{
    private readonly ServerOptions _options;
    private readonly LogOutputs _logs;
    private readonly DaemonReport _report;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly PidFile? _pidFile;
    private SystemdNotifier _notifier;
    private Watchdog? _watchdog;

    public ProcessLife(ServerOptions options, LogOutputs logs, DaemonReport report, TimeProvider time)
    {
        _options = options;
        _logs = logs;
        _report = report;
        _logger = logs.Loggers.CreateLogger(ServerLog.Category);
        _time = time;
        _pidFile = options.Process.PidFile is { } path ? new PidFile(path, _logger) : null;
        _notifier = new SystemdNotifier(null, null, _logger);
    }

    /// <summary>The sockets must be open before anything of Python is loaded: it runs as another user.</summary>
    public bool SocketsComeFirst => _options.Process.Identity is not null;

    /// <summary>For the states of which only a master knows.</summary>
    public SystemdNotifier Notifier => _notifier;

    /// <summary>Before threads and programs are started that could ask for the environment.</summary>
    /// <param name="role">For the process's name; null: it does everything.</param>
    public void Begin(string? role)
    {
        ProcessNames.Apply(_options.Process, role);
        _notifier = SystemdNotifier.FromEnvironment(Environment.GetEnvironmentVariable, Environment.ProcessId, _logger);
        foreach (var variable in SystemdNotifier.Variables) ProcessEnvironment.Remove(variable);
        foreach (var socket in Surroundings.Real.PassedSockets) _ = FileDescriptors.SetCloseOnExec(socket.Descriptor);
        foreach (var socket in _options.UnusedSockets) ProcessLog.SocketUnused(_logger, socket.ToString(), socket.Address);
    }

    /// <summary>Writes the pidfile and becomes another user, where that is asked for.</summary>
    /// <exception cref="StartupException">One of it cannot be done, or that user cannot get at what is needed; the process must end.</exception>
    public void SocketsOpened()
    {
        var identity = _options.Process.Identity;
        if (_options.Process.SocketOwner is { } owner)
            Privileges.GiveSockets(owner, _options.Http.Select(e => e.Address.UnixPath).Concat(_options.Sockets.Select(e => e.Address.UnixPath)).OfType<string>());
        _pidFile?.Write(Environment.ProcessId, identity);
        if (identity is null) return;
        _logs.GiveTo(identity.User, identity.Group, _logger);
        Privileges.Drop(identity, _logger);
        UserAccess.Check(_options, identity.Name ?? $"{identity.User}");
    }

    /// <summary>Requests are answered.</summary>
    /// <param name="isHealthy">For the watchdog.</param>
    public void Serving(Func<Task<bool>> isHealthy)
    {
        // After what scripts wait for. A master that was told to stay root says it once; its workers have no life of this kind.
        if (Credentials.User == 0) ProcessLog.RunningAsRoot(_logger);
        _notifier.Ready($"serving {_options.Application}");
        if (_notifier.WatchdogInterval is not null) _watchdog = new Watchdog(_notifier, isHealthy, _logger, _time);
        _report.Ready();
    }

    /// <summary>A graceful stop has begun. The watchdog goes on: a hang of the stop is one, too.</summary>
    public void Stopping() => _notifier.Stopping();

    /// <summary>Nothing is served any more.</summary>
    public void Ended()
    {
        _watchdog?.Dispose();
        if (_options.Process.Vacuum) _pidFile?.Remove(Environment.ProcessId);
    }
}
