using Microsoft.Extensions.Logging;

namespace UGreen.Py.Front;

/// <summary>The loggers that Kestrel gets: ours behind a <see cref="PacedLogger"/>, but for <see cref="BadRequestLogger"/> and <see cref="LostClientLogger"/>. Owns nothing.</summary>
internal sealed class KestrelLoggers(ILoggerFactory loggers, TimeProvider time) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => categoryName switch
    {
        // A refusal is a debug line to Kestrel.
        BadRequestLogger.Category => new BadRequestLogger(loggers.CreateLogger(FrontLog.Category), time, LogLevel.Debug),
        BadRequestLogger.Http2Category => new BadRequestLogger(loggers.CreateLogger(FrontLog.Category), time, LogLevel.Warning),
        LostClientLogger.Category => new LostClientLogger(new PacedLogger(loggers.CreateLogger(categoryName), time)),
        _ => new PacedLogger(loggers.CreateLogger(categoryName), time),
    };

    public void AddProvider(ILoggerProvider provider) => loggers.AddProvider(provider);

    public void Dispose()
    {
    }
}
