using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class LostClientLoggerTests : ILogger
{
    private LogLevel? _seen;

    [Theory]
    [InlineData(LogLevel.Warning, SocketError.TimedOut, LogLevel.Debug)]
    [InlineData(LogLevel.Warning, SocketError.HostUnreachable, LogLevel.Debug)]
    [InlineData(LogLevel.Warning, SocketError.TooManyOpenSockets, LogLevel.Warning)]
    [InlineData(LogLevel.Critical, SocketError.TimedOut, LogLevel.Critical)]
    public void Only_a_client_that_does_not_answer_is_no_warning(LogLevel level, SocketError error, LogLevel expected)
    {
        Log(level, new SocketException((int)error));

        Assert.Equal(expected, _seen);
    }

    [Fact]
    public void Other_errors_stay_what_they_are()
    {
        Log(LogLevel.Warning, new IOException());

        Assert.Equal(LogLevel.Warning, _seen);
    }

    private void Log(LogLevel level, Exception error)
        => new LostClientLogger(this).Log(level, default, "Connection processing ended abnormally.", error, static (text, _) => text);

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => _seen = logLevel;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;
}
