using Microsoft.Extensions.Logging;
using UGreen.Py.Front.Uwsgi;

namespace UGreen.Py.Front;

/// <summary>
/// Stands in for two of Kestrel's categories: requests that it refuses itself, before anybody here has seen them, and HTTP/2, where a client's flood is a critical error to
/// Kestrel. Here both are one line a second at most, at info, and without a stack trace. What the client sent is not repeated.
/// </summary>
/// <param name="logger">Gets the lines.</param>
/// <param name="time">For the second.</param>
/// <param name="least">What Kestrel says below this level is left out.</param>
internal sealed class BadRequestLogger(ILogger logger, TimeProvider time, LogLevel least) : ILogger
{
    /// <summary>Kestrel's name of the first.</summary>
    public const string Category = "Microsoft.AspNetCore.Server.Kestrel.BadRequests";

    /// <summary>Kestrel's name of the second.</summary>
    public const string Http2Category = "Microsoft.AspNetCore.Server.Kestrel.Http2";

    private readonly OncePerSecond _pace = new(time);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel) && _pace.TryPass(out var unsaid)) FrontLog.BadRequest(logger, Plain(exception?.Message ?? formatter(state, null)), unsaid);
    }

    /// <summary>Kestrel's message without the full stop and without the place where it could show the client's bytes, which is empty.</summary>
    public static string Plain(string message) => message.EndsWith(": ''", StringComparison.Ordinal) ? message[..^4] : message.TrimEnd('.');
}
