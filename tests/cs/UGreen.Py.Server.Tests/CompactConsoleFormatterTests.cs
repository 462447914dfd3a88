using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Server.Logging;
using Xunit;

namespace UGreen.Py.Server.Tests;

public sealed class CompactConsoleFormatterTests
{
    [Theory]
    [InlineData(LogLevel.Trace, "trace")]
    [InlineData(LogLevel.Debug, "debug")]
    [InlineData(LogLevel.Information, "info ")]
    [InlineData(LogLevel.Warning, "warn ")]
    [InlineData(LogLevel.Error, "error")]
    [InlineData(LogLevel.Critical, "crit ")]
    public void One_line_with_time_level_and_category(LogLevel level, string label)
        => Assert.Equal($"18:04:05.123 {label} hub: message\n", Format("hub", "message", level));

    [Fact]
    public void Kestrel_has_a_short_name()
        => Assert.Equal("18:04:05.123 info  kestrel: m\n", Format("Microsoft.AspNetCore.Server.Kestrel.Connections", "m"));

    [Theory]
    [InlineData("a\n18:04:05.123 info  hub: forged", "a\n    18:04:05.123 info  hub: forged")]
    [InlineData("Traceback:\r\n  File x\r\n", "Traceback:\n      File x")]
    [InlineData("a\x1b[2Jb\0\u0085", "a\\x1b[2Jb\\x00\\x85")]
    [InlineData("a\u2028b\u2029c", "a\\x2028b\\x2029c")]
    [InlineData("tab\tstays, umlaut \u00fc too", "tab\tstays, umlaut \u00fc too")]
    public void No_message_can_look_like_an_entry(string message, string shown)
        => Assert.Equal($"18:04:05.123 info  hub: {shown}\n", Format("hub", message));

    [Fact]
    public void An_exception_is_its_message_unless_details_are_wanted()
    {
        var error = Assert.Throws<InvalidOperationException>(static void () => throw new InvalidOperationException("broken"));

        Assert.Equal("18:04:05.123 info  hub: m: broken\n", Format("hub", "m", error: error));
        Assert.Contains("\n       at ", Format("hub", "m", error: error, withStackTraces: true), StringComparison.Ordinal);
    }

    private static string Format(string category, string message, LogLevel level = LogLevel.Information, Exception? error = null, bool withStackTraces = false)
    {
        var writer = new StringWriter();
        new CompactConsoleFormatter(new FixedTime(), withStackTraces)
            .Write(new LogEntry<string>(level, category, default, message, error, static (state, _) => state), null, writer);
        return writer.ToString();
    }

    private sealed class FixedTime : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2026, 1, 2, 18, 4, 5, 123, TimeSpan.Zero);
    }
}
