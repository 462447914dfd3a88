using Microsoft.Extensions.Logging;

namespace UGreen.Py.Front;

/// <summary>Log lines of the HTTP front, category "http". Event ids 3000 to 3099; an id is never used again for something else.</summary>
internal static partial class FrontLog
{
    public const string Category = "http";

    [LoggerMessage(3000, LogLevel.Debug, "request header {Name} dropped: with '_' it would collide with another header in the environ")]
    public static partial void HeaderDropped(ILogger logger, string name);

    [LoggerMessage(3001, LogLevel.Error, "response of {Method} {Target} replaced by 500: {Reason}")]
    public static partial void ResponseRefused(ILogger logger, string method, string target, string reason);

    [LoggerMessage(3002, LogLevel.Debug, "response header {Name} dropped: the front frames messages itself")]
    public static partial void HopByHopDropped(ILogger logger, string name);

    [LoggerMessage(3003, LogLevel.Debug, "request {Method} {Target} refused with {Status}: {Reason}")]
    public static partial void RequestRefused(ILogger logger, string method, string target, int status, string reason);

    [LoggerMessage(3010, LogLevel.Debug, "request header {Name} of a trusted peer ignored, in whole or from the wrong entry on: {Value}")]
    public static partial void ForwardedIgnored(ILogger logger, string name, string value);

    [LoggerMessage(3004, LogLevel.Warning, "response of {Method} {Target} cut to its Content-Length of {Declared} bytes; the application gave {Given}")]
    public static partial void BodyCut(ILogger logger, string method, string target, long declared, long given);

    [LoggerMessage(3040, LogLevel.Error, "response of {Method} {Target} broken off: {Reason}")]
    public static partial void FileFailed(ILogger logger, string method, string target, string reason);

    [LoggerMessage(3020, LogLevel.Information, "bad request refused: {Reason} ({Unsaid} more since the last such line)")]
    public static partial void BadRequest(ILogger logger, string reason, long unsaid);

    [LoggerMessage(3021, LogLevel.Warning, "{Limit} connections are open, as many as --max-connections allows: new ones wait")]
    public static partial void ConnectionsFull(ILogger logger, int limit);

    [LoggerMessage(3060, LogLevel.Debug, "no new connections; {Open} are open, and idle ones may stay for {Seconds:0.###} s")]
    public static partial void Draining(ILogger logger, int open, double seconds);

    [LoggerMessage(3074, LogLevel.Debug, "the front could not be warmed up: {Error}")]
    public static partial void NotWarm(ILogger logger, string error);

    // Reserved: event id 3070.
    [LoggerMessage(3073, LogLevel.Error, "a connection failed ({Unsaid} more since the last such line)")]
    public static partial void ConnectionFault(ILogger logger, long unsaid, Exception error);

    [LoggerMessage(3071, LogLevel.Warning, "{Address}: no connection can be accepted now ({Error}); they wait")]
    public static partial void AcceptPaused(ILogger logger, string address, string error);

    [LoggerMessage(3072, LogLevel.Error, "{Address}: no connection can be accepted any more: {Error}")]
    public static partial void AcceptFailed(ILogger logger, string address, string error);

    [LoggerMessage(3022, LogLevel.Information, "response of {Method} {Target} broken off: the client took nothing for {Seconds:0.###} s ({Unsaid} more since the last such line)")]
    public static partial void ResponseTimedOut(ILogger logger, string method, string target, double seconds, long unsaid);
}
