using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Server.Logging;
using Xunit;

namespace UGreen.Py.Server.Tests;

public sealed class JsonConsoleFormatterTests
{
    [Fact]
    public void One_object_per_entry_with_the_words_of_log_level()
        => Assert.Equal(
            """{"time":"2026-01-02T18:04:05.123+00:00","level":"info","logger":"hub","message":"a & 'b' \"c\""}""" + "\n",
            Format("hub", "a & 'b' \"c\""));

    [Theory]
    [InlineData(LogLevel.Trace, "trace")]
    [InlineData(LogLevel.Debug, "debug")]
    [InlineData(LogLevel.Warning, "warning")]
    [InlineData(LogLevel.Error, "error")]
    [InlineData(LogLevel.Critical, "critical")]
    public void Levels(LogLevel level, string name) => Assert.Equal(name, Parse(Format("hub", "m", level)).GetProperty("level").GetString());

    [Fact]
    public void A_traceback_is_one_string_and_nothing_but_ascii_is_written()
    {
        const string message = "the application raised\nTraceback:\n  File \"x\"\tż \u0085\u2028\u202e\x1b[2J \U0001f40d";
        var line = Format("Microsoft.AspNetCore.Server.Kestrel.Connections", message);

        Assert.Matches("\\A[ -~]+\n\\z", line);
        Assert.Equal(message, Parse(line).GetProperty("message").GetString());
        Assert.Equal("kestrel", Parse(line).GetProperty("logger").GetString());
    }

    [Fact]
    public void An_exception_is_its_message_unless_details_are_wanted()
    {
        var error = Assert.Throws<InvalidOperationException>(static void () => throw new InvalidOperationException("broken"));

        Assert.Equal("broken", Parse(Format("hub", "m", error: error)).GetProperty("exception").GetString());
        Assert.Contains("\n   at ", Parse(Format("hub", "m", error: error, withStackTraces: true)).GetProperty("exception").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_said_outside_the_loggers_is_an_entry_per_text()
    {
        var output = new StringWriter();
        using var writer = new JsonEntryWriter(output, TimeProvider.System, LogLevel.Critical);

        writer.Write("ugreen-py: a\n  b\n");
        writer.Write("c\n");
        writer.Write("\n");

        var lines = output.ToString().TrimEnd('\n').Split('\n').Select(Parse).ToList();
        Assert.Equal(["ugreen-py: a\n  b", "c"], lines.Select(l => l.GetProperty("message").GetString()));
        Assert.All(lines, l => Assert.Equal(("critical", "server"), (l.GetProperty("level").GetString(), l.GetProperty("logger").GetString())));
    }

    private static JsonElement Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }

    private static string Format(string category, string message, LogLevel level = LogLevel.Information, Exception? error = null, bool withStackTraces = false)
    {
        var writer = new StringWriter();
        new JsonConsoleFormatter(new FixedTime(), withStackTraces)
            .Write(new LogEntry<string>(level, category, default, message, error, static (state, _) => state), null, writer);
        return writer.ToString();
    }

    private sealed class FixedTime : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2026, 1, 2, 18, 4, 5, 123, TimeSpan.Zero);
    }
}
