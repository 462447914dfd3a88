using Microsoft.Extensions.Logging;

namespace UGreen.Py.Server.Master;

/// <summary>Log lines of the master, category "master". Event ids 1100 to 1199, and 700 to 709; an id is never used again for something else.</summary>
internal static partial class MasterLog
{
    public const string Category = "master";

    [LoggerMessage(1100, LogLevel.Information, "worker {Worker} (pid {Pid}) serves, {Seconds:0.00} s after its start")]
    public static partial void Ready(ILogger logger, int worker, int pid, double seconds);

    [LoggerMessage(1101, LogLevel.Error, "worker {Worker} (pid {Pid}) died: {How}; {Running}it is replaced")]
    public static partial void Died(ILogger logger, int worker, int pid, string how, string running);

    [LoggerMessage(1102, LogLevel.Information, "worker {Worker} (pid {Pid}) has ended")]
    public static partial void Ended(ILogger logger, int worker, int pid);

    [LoggerMessage(1103, LogLevel.Warning, "worker {Worker} (pid {Pid}) has ended: {How}{Running}")]
    public static partial void EndedBadly(ILogger logger, int worker, int pid, string how, string running);

    [LoggerMessage(1104, LogLevel.Error, "worker {Worker} cannot start: {Reason}; tried again in {Seconds:0.#} s")]
    public static partial void CannotStart(ILogger logger, int worker, string reason, double seconds);

    [LoggerMessage(1105, LogLevel.Warning, "worker {Worker} (pid {Pid}) did not end in time and is killed{Running}")]
    public static partial void KilledLate(ILogger logger, int worker, int pid, string running);

    [LoggerMessage(1106, LogLevel.Information, "worker {Worker} (pid {Pid}) is replaced: {Reason}")]
    public static partial void Recycled(ILogger logger, int worker, int pid, string reason);

    [LoggerMessage(1107, LogLevel.Information, "worker {Worker} (pid {Pid}) drains: {Reason}")]
    public static partial void Leaving(ILogger logger, int worker, int pid, string reason);

    [LoggerMessage(1108, LogLevel.Critical, "the first worker cannot start: {Reason}")]
    public static partial void FirstFailed(ILogger logger, string reason);

    [LoggerMessage(1110, LogLevel.Information, "reload ({Reason}): replacing {Workers} workers, one after the other")]
    public static partial void Reloading(ILogger logger, string reason, int workers);

    [LoggerMessage(1111, LogLevel.Information, "reload: done")]
    public static partial void Reloaded(ILogger logger);

    [LoggerMessage(1112, LogLevel.Error, "reload given up: {Reason}; the old workers go on serving")]
    public static partial void ReloadFailed(ILogger logger, string reason);

    [LoggerMessage(1113, LogLevel.Information, "reload ({Reason}): one is under way; another will follow it")]
    public static partial void ReloadQueued(ILogger logger, string reason);

    [LoggerMessage(1114, LogLevel.Debug, "{Option} implies --master")]
    public static partial void Implied(ILogger logger, string option);

    [LoggerMessage(1115, LogLevel.Warning, "the master is gone: worker {Worker} drains and ends")]
    public static partial void MasterGone(ILogger logger, int worker);

    [LoggerMessage(1120, LogLevel.Information, "{Reason}: no new requests; workers have {Seconds:0.#} s to finish")]
    public static partial void Stopping(ILogger logger, string reason, double seconds);

    [LoggerMessage(1121, LogLevel.Warning, "{Reason}: stopping at once")]
    public static partial void StoppingAtOnce(ILogger logger, string reason);

    [LoggerMessage(1122, LogLevel.Information, "stopped")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(1130, LogLevel.Error, "harakiri: worker {Worker} (pid {Pid}) is killed: {Request}")]
    public static partial void Harakiri(ILogger logger, int worker, int pid, string request);

    [LoggerMessage(700, LogLevel.Error, "worker {Worker} (pid {Pid}) has broken its channel to the master: {How}; nothing more is heard from it, and it is {Fate} (does the application write to descriptors that are not its own?)")]
    public static partial void Unheard(ILogger logger, int worker, int pid, string how, string fate);

    [LoggerMessage(701, LogLevel.Critical, "worker {Worker} has received something that its master did not send: it drains and ends")]
    public static partial void NotOfTheMaster(ILogger logger, int worker);

    [LoggerMessage(702, LogLevel.Warning, "--touch-reload '{File}' cannot be looked at any more: {Reason}; until it can be, a touch of it changes nothing")]
    public static partial void NotLookedAt(ILogger logger, string file, string reason);

    [LoggerMessage(1140, LogLevel.Information, "cheaper: {Wanted} workers instead of {Before} ({Busy:0} % of their cores were busy)")]
    public static partial void Scaled(ILogger logger, int wanted, int before, double busy);
}
