using Microsoft.Extensions.Logging;

namespace UGreen.Py.Server.Process;

/// <summary>Log lines about the process and who started it. Event ids 1600 to 1639.</summary>
internal static partial class ProcessLog
{
    [LoggerMessage(1600, LogLevel.Warning, "running as root; --uid USER becomes another user once the sockets are open")]
    public static partial void RunningAsRoot(ILogger logger);

    [LoggerMessage(1601, LogLevel.Information, "now user {User}, group {Group}")]
    public static partial void Became(ILogger logger, string user, uint group);

    [LoggerMessage(1602, LogLevel.Warning, "--vacuum: {File} cannot be removed: {Reason}")]
    public static partial void PidFileStays(ILogger logger, string file, string reason);

    [LoggerMessage(1603, LogLevel.Warning, "socket {Socket} was passed to the server, and no option uses it (--http {Address})")]
    public static partial void SocketUnused(ILogger logger, string socket, string address);

    [LoggerMessage(1604, LogLevel.Warning, "systemd cannot be told \"{State}\" (NOTIFY_SOCKET): {Reason}")]
    public static partial void NotNotified(ILogger logger, string state, string reason);

    [LoggerMessage(1605, LogLevel.Error, "the hub has not answered for {Seconds:0.#} s; systemd's watchdog is not fed until it does")]
    public static partial void Unhealthy(ILogger logger, double seconds);

    [LoggerMessage(1606, LogLevel.Warning, "--pidfile {File} held {Pid}, a process that still runs; it is overwritten")]
    public static partial void PidFileTaken(ILogger logger, string file, int pid);

    [LoggerMessage(1607, LogLevel.Warning, "a log file cannot be given to user {User}, so SIGUSR1 may fail to open it again: {Reason}")]
    public static partial void LogNotGiven(ILogger logger, uint user, string reason);
}
