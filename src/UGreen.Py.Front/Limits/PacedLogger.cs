using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using UGreen.Py.Front.Uwsgi;

namespace UGreen.Py.Front;

/// <summary>
/// Stands in for a category of Kestrel's: of each kind of warning or error one line a second at most, which says how many it stands for. What Kestrel warns of, clients can
/// cause (an index of 0 in HPACK is an exception there), and who can cause one line can cause thousands.
/// </summary>
/// <param name="logger">Gets the lines.</param>
/// <param name="time">For the second.</param>
internal sealed class PacedLogger(ILogger logger, TimeProvider time) : ILogger
{
    // By event id. Kestrel has a fixed number of them.
    private readonly ConcurrentDictionary<int, OncePerSecond> _paces = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => logger.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel < LogLevel.Warning)
        {
            logger.Log(logLevel, eventId, state, exception, formatter);
            return;
        }

        if (!_paces.GetOrAdd(eventId.Id, static (_, time) => new OncePerSecond(time), time).TryPass(out var unsaid)) return;
        if (unsaid == 0) logger.Log(logLevel, eventId, state, exception, formatter);
        else logger.Log(logLevel, eventId, $"{formatter(state, exception)} ({unsaid} more since the last such line)", exception, static (text, _) => text);
    }
}
