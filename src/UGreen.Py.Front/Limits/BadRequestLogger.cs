using Microsoft.Extensions.Logging;
using UGreen.Py.Front.Uwsgi;

namespace UGreen.Py.Front;

/// <summary>
/// Stands in for Kestrel's own category of requests that it refuses itself, before anybody here has seen them: one line a second at most, and without a stack trace. What
/// the client sent is not repeated.
/// </summary>
internal sealed class BadRequestLogger(ILogger logger, TimeProvider time) : ILogger
{
    /// <summary>Kestrel's name of it.</summary>
    public const string Category = "Microsoft.AspNetCore.Server.Kestrel.BadRequests";

    private readonly OncePerSecond _pace = new(time);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (exception is not null && _pace.TryPass(out var unsaid)) FrontLog.BadRequest(logger, Plain(exception.Message), unsaid);
    }

    /// <summary>Kestrel's message without the full stop and without the place where it could show the client's bytes, which is empty.</summary>
    public static string Plain(string message) => message.EndsWith(": ''", StringComparison.Ordinal) ? message[..^4] : message.TrimEnd('.');
}
