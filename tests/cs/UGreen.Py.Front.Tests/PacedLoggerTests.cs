using Microsoft.Extensions.Logging;
using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class PacedLoggerTests : ILogger
{
    private readonly List<string> _lines = [];

    [Fact]
    public void Of_each_kind_one_line_a_second_says_how_many_it_stands_for()
    {
        var time = new ManualTime();
        var paced = new PacedLogger(this, time);
        for (var i = 0; i < 300; i++) Log(paced, LogLevel.Warning, 0, "index");
        Log(paced, LogLevel.Error, 13, "other");
        time.Advance(TimeSpan.FromSeconds(1));
        Log(paced, LogLevel.Warning, 0, "index");

        Assert.Equal(["Warning index", "Error other", "Warning index (299 more since the last such line)"], _lines);
    }

    [Fact]
    public void What_is_only_said_on_demand_is_said_each_time()
    {
        var paced = new PacedLogger(this, new ManualTime());
        Log(paced, LogLevel.Information, 0, "a");
        Log(paced, LogLevel.Information, 0, "a");

        Assert.Equal(["Information a", "Information a"], _lines);
    }

    private static void Log(PacedLogger logger, LogLevel level, int id, string text) => logger.Log(level, new EventId(id), text, new IOException(), static (text, _) => text);

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => _lines.Add($"{logLevel} {formatter(state, exception)}");

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;
}
