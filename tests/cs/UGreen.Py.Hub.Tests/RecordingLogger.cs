using Microsoft.Extensions.Logging;

namespace UGreen.Py.Hub.Tests;

/// <summary>Keeps what was logged.</summary>
internal sealed class RecordingLogger : ILogger
{
    public List<(LogLevel Level, int Id, string Text, Exception? Error)> Entries { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => Entries.Add((logLevel, eventId.Id, formatter(state, exception), exception));
}
