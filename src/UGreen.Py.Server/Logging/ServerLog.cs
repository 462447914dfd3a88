using Microsoft.Extensions.Logging;

namespace UGreen.Py.Server.Logging;

/// <summary>Log lines of the process itself, category "server". Event ids 1000 to 1099, and 710 to 719; an id is never used again for something else.</summary>
internal static partial class ServerLog
{
    public const string Category = "server";

    [LoggerMessage(1000, LogLevel.Debug, "--async {Cores} without --ugreen: green threads are the only engine, so --ugreen is implied")]
    public static partial void UgreenImplied(ILogger logger, int cores);

    [LoggerMessage(1001, LogLevel.Information, "{Signal}: no new requests; running ones have {Seconds:0.#} s to finish")]
    public static partial void Stopping(ILogger logger, string signal, double seconds);

    [LoggerMessage(1002, LogLevel.Warning, "{Signal}: stopping at once")]
    public static partial void StoppingAtOnce(ILogger logger, string signal);

    [LoggerMessage(1003, LogLevel.Information, "stopped")]
    public static partial void Stopped(ILogger logger);

    // Reserved: event id 1004, 1007

    [LoggerMessage(1005, LogLevel.Critical, "the hub has ended: {Message}")]
    public static partial void WorkerDied(ILogger logger, string message);

    [LoggerMessage(1006, LogLevel.Debug, "details")]
    public static partial void Details(ILogger logger, Exception exception);

    [LoggerMessage(1040, LogLevel.Warning, "--listen {Backlog}: the kernel cuts it to {Limit} (net.core.somaxconn)")]
    public static partial void BacklogCut(ILogger logger, int backlog, int limit);

    [LoggerMessage(1041, LogLevel.Warning, "{Connections} connections are allowed and there are {Cores} cores: with a parked client on each nobody else can connect (ulimit -n, --max-connections)")]
    public static partial void FewConnections(ILogger logger, int connections, int cores);

    [LoggerMessage(1008, LogLevel.Debug, "the grace period is over; the requests that still ran were cut")]
    public static partial void GraceOver(ILogger logger);

    [LoggerMessage(1020, LogLevel.Warning, "--log-format has no %(variable) in it: every request gets the same line")]
    public static partial void FormatWithoutVariables(ILogger logger);

    [LoggerMessage(1021, LogLevel.Warning, "--log-x-forwarded-for changes nothing: the usual request line shows no address; see --log-format and --log-json")]
    public static partial void NoAddressShown(ILogger logger);

    [LoggerMessage(1022, LogLevel.Warning, "SIGUSR1: {Reason}; the log goes on in the old file")]
    public static partial void NotReopened(ILogger logger, string reason);

    [LoggerMessage(1023, LogLevel.Information, "SIGUSR1: there is no log file to open again (--logto, --req-logger)")]
    public static partial void NothingToReopen(ILogger logger);

    [LoggerMessage(1024, LogLevel.Warning, "the dynamic loader refused to run this server in Python's executable, so Python's shared library is used, which is slower (file capabilities on it? no /proc?)")]
    public static partial void PreloadRefused(ILogger logger);

    [LoggerMessage(710, LogLevel.Warning, "SIGHUP: there is no master, which would replace the workers (--master); nothing is done")]
    public static partial void NobodyReloads(ILogger logger);

    [LoggerMessage(711, LogLevel.Warning, "{Signal}: neither the server nor the application has asked for it; nothing is done")]
    public static partial void Stray(ILogger logger, string signal);

    // 1010 to 1019: configuration files

    [LoggerMessage(1010, LogLevel.Warning, "{Message}")]
    public static partial void Configuration(ILogger logger, string message);

    [LoggerMessage(1011, LogLevel.Debug, "environment variable {Name} is no option of this server")]
    public static partial void UnknownVariable(ILogger logger, string name);
}
