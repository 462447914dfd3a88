using Microsoft.Extensions.Logging;

namespace UGreen.Py.Front;

/// <summary>The loggers that Kestrel gets: ours, but for <see cref="BadRequestLogger"/>. Owns nothing.</summary>
internal sealed class KestrelLoggers(ILoggerFactory loggers, TimeProvider time) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName)
        => categoryName == BadRequestLogger.Category ? new BadRequestLogger(loggers.CreateLogger(FrontLog.Category), time) : loggers.CreateLogger(categoryName);

    public void AddProvider(ILoggerProvider provider) => loggers.AddProvider(provider);

    public void Dispose()
    {
    }
}
