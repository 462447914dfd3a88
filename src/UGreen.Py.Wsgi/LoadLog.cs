using Microsoft.Extensions.Logging;

namespace UGreen.Py.Wsgi;

/// <summary>Log lines about what could not be loaded and is done without. Event ids 290 to 299.</summary>
internal static partial class LoadLog
{
    [LoggerMessage(290, LogLevel.Warning, "{Problem}; the server starts without it{Details}")]
    public static partial void ImportFailed(ILogger log, string problem, string details);

    [LoggerMessage(291, LogLevel.Warning, "{Problem}; its requests get 500 (--need-app=false){Details}")]
    public static partial void ApplicationFailed(ILogger log, string problem, string details);

    [LoggerMessage(292, LogLevel.Warning, "no application (--need-app=false): what is not a static file gets 404")]
    public static partial void NoApplication(ILogger log);
}
