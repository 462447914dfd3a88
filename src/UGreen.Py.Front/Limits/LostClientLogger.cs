using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace UGreen.Py.Front;

/// <summary>
/// Stands in for Kestrel's general category, to which a client that answers no more (its cable was cut, its phone is in a tunnel) is a warning: one for each of a thousand
/// of them. It is what time-outs are for, so here it is said at debug, as of any client that leaves.
/// </summary>
/// <param name="logger">Gets the lines.</param>
internal sealed class LostClientLogger(ILogger logger) : ILogger
{
    /// <summary>Kestrel's name of it.</summary>
    public const string Category = "Microsoft.AspNetCore.Server.Kestrel";

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => logger.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => logger.Log(logLevel == LogLevel.Warning && IsLost(exception) ? LogLevel.Debug : logLevel, eventId, state, exception, formatter);

    /// <summary>What the kernel says of a connection whose other side does not answer. A reset or an end Kestrel knows itself.</summary>
    private static bool IsLost(Exception? exception) => exception is SocketException
    {
        SocketErrorCode: SocketError.TimedOut or SocketError.HostUnreachable or SocketError.HostDown or SocketError.NetworkUnreachable or SocketError.NetworkDown,
    };
}
