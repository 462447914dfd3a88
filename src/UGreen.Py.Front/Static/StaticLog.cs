using Microsoft.Extensions.Logging;

namespace UGreen.Py.Front.Static;

/// <summary>Log lines about static files, category "static". Event ids 3050 to 3059.</summary>
internal static partial class StaticLog
{
    public const string Category = "static";

    [LoggerMessage(3050, LogLevel.Warning, "{Method} {Target}: the file {File} cannot be read: {Reason} ({Unsaid} more since the last such line)")]
    public static partial void Unreadable(ILogger logger, string method, string target, string file, string reason, long unsaid);

    [LoggerMessage(3051, LogLevel.Debug, "{Method} {Target}: the file {File} was not sent to its end")]
    public static partial void Broken(ILogger logger, string method, string target, string file);

    [LoggerMessage(3052, LogLevel.Error, "{Method} {Target}: serving the file {File} failed ({Unsaid} more since the last such line)")]
    public static partial void Failed(ILogger logger, Exception exception, string method, string target, string file, long unsaid);
}
