using Microsoft.Extensions.Logging;

namespace UGreen.Py.Server.Master;

/// <summary>Log lines about commands that run beside the server, category "master". Event ids 1200 to 1219; an id is never used again for something else.</summary>
internal static partial class BesideLog
{
    [LoggerMessage(1200, LogLevel.Information, "{Option} '{Command}': started, pid {Pid}")]
    public static partial void Started(ILogger logger, string option, string command, int pid);

    [LoggerMessage(1201, LogLevel.Error, "{Option} '{Command}' cannot be started: {Reason}")]
    public static partial void NotStarted(ILogger logger, string option, string command, string reason);

    [LoggerMessage(1202, LogLevel.Warning, "--attach-daemon '{Command}' {How}; started again in {Seconds:0} s")]
    public static partial void DaemonEnded(ILogger logger, string command, string how, double seconds);

    [LoggerMessage(1203, LogLevel.Error, "--cron '{Command}' {How}")]
    public static partial void CronFailed(ILogger logger, string command, string how);

    [LoggerMessage(1204, LogLevel.Warning, "--cron '{Command}' is due, and its last run has not ended (pid {Pid}): left out")]
    public static partial void StillRuns(ILogger logger, string command, int pid);
}
