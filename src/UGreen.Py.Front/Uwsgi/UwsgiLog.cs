using Microsoft.Extensions.Logging;

namespace UGreen.Py.Front.Uwsgi;

/// <summary>Log lines of the uwsgi front, category "uwsgi". Event ids 400 to 499; an id is never used again for something else.</summary>
internal static partial class UwsgiLog
{
    public const string Category = "uwsgi";

    [LoggerMessage(400, LogLevel.Debug, "connection of {Peer} lost: {Reason}")]
    public static partial void ConnectionLost(ILogger logger, string peer, string reason);

    [LoggerMessage(401, LogLevel.Debug, "connection of {Peer} closed: no whole request within {Seconds} s")]
    public static partial void HeadTimedOut(ILogger logger, string peer, double seconds);

    [LoggerMessage(402, LogLevel.Warning, "request of {Peer} refused: {Reason} ({Unsaid} more since the last such line)")]
    public static partial void Refused(ILogger logger, string peer, string reason, long unsaid);

    [LoggerMessage(403, LogLevel.Warning, "variable {Name} from {Peer} ignored: it is not taken from the wire (said once for each name)")]
    public static partial void VariableIgnored(ILogger logger, string name, string peer);

    [LoggerMessage(404, LogLevel.Error, "response of {Method} {Target} replaced by 500: {Reason}")]
    public static partial void ResponseRefused(ILogger logger, string method, string target, string reason);

    [LoggerMessage(405, LogLevel.Debug, "response header {Name} dropped: the front frames messages itself")]
    public static partial void FramingHeaderDropped(ILogger logger, string name);

    [LoggerMessage(406, LogLevel.Warning, "response of {Method} {Target} cut to its Content-Length of {Declared} bytes; the application gave {Given}")]
    public static partial void BodyCut(ILogger logger, string method, string target, long declared, long given);

    [LoggerMessage(407, LogLevel.Warning, "response of {Method} {Target} reset: {Missing} bytes of its Content-Length are missing")]
    public static partial void BodyTooShort(ILogger logger, string method, string target, long missing);

    [LoggerMessage(420, LogLevel.Error, "response of {Method} {Target} broken off: {Reason}")]
    public static partial void FileFailed(ILogger logger, string method, string target, string reason);

    [LoggerMessage(408, LogLevel.Information, "response of {Method} {Target} broken off: the client took nothing for {Seconds:0.###} s ({Unsaid} more since the last such line)")]
    public static partial void ResponseTimedOut(ILogger logger, string method, string target, double seconds, long unsaid);

    [LoggerMessage(409, LogLevel.Debug, "request {Method} {Target} refused with 413: its body has {Length} bytes, more than --limit-post {Limit}")]
    public static partial void BodyTooLarge(ILogger logger, string method, string target, long length, long limit);
}
