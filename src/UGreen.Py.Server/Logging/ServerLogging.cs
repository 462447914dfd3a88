using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace UGreen.Py.Server.Logging;

/// <summary>Builds the logger factory by hand: no container and no configuration system stand between exec and the first answer.</summary>
internal static class ServerLogging
{
    public static ILoggerFactory Create(LogLevel level, bool isJson, TimeProvider time)
    {
        var withStackTraces = level <= LogLevel.Debug;
        ConsoleFormatter formatter = isJson ? new JsonConsoleFormatter(time, withStackTraces) : new CompactConsoleFormatter(time, withStackTraces);
        var console = new ConsoleLoggerOptions
        {
            FormatterName = formatter.Name,
            // Everything goes to stderr; stdout belongs to the application.
            LogToStandardErrorThreshold = LogLevel.Trace,
        };
#pragma warning disable CA2000 // The factory owns its providers and disposes them, which is also what flushes the console queue.
        var provider = new ConsoleLoggerProvider(new FixedOptions<ConsoleLoggerOptions>(console), [formatter]);
#pragma warning restore CA2000
        // AddProvider, not the constructor: only what was added is disposed with the factory, and disposing is what flushes the console's queue before the process ends.
        var factory = new LoggerFactory([], Filter(level));
        factory.AddProvider(provider);
        return factory;
    }

    /// <summary>Kestrel explains every connection at debug level; its lines are wanted from Warning on.</summary>
    private static LoggerFilterOptions Filter(LogLevel level)
    {
        var filter = new LoggerFilterOptions { MinLevel = level };
        filter.Rules.Add(new LoggerFilterRule(null, "Microsoft", level > LogLevel.Warning ? level : LogLevel.Warning, null));
        return filter;
    }
}
