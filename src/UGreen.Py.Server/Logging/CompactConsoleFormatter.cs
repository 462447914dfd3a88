using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace UGreen.Py.Server.Logging;

/// <summary>
/// <c>18:04:05.123 info  hub: message</c>.
/// <para>
/// Invariant: only the first line of an entry begins in the first column; further lines of a message (a Python traceback) are indented, and control characters
/// are escaped. So no text that came from a client can look like an entry of its own or move the cursor of a terminal.
/// </para>
/// </summary>
internal sealed class CompactConsoleFormatter : ConsoleFormatter
{
    public const string FormatterName = "compact";

    private readonly TimeProvider _time;
    private readonly bool _withStackTraces;

    /// <param name="time">The clock of the first column.</param>
    /// <param name="withStackTraces">.NET stack traces are for those who look for a bug: at debug level.</param>
    public CompactConsoleFormatter(TimeProvider time, bool withStackTraces) : base(FormatterName)
    {
        _time = time;
        _withStackTraces = withStackTraces;
    }

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.Write(_time.GetLocalNow().ToString("HH:mm:ss.fff ", CultureInfo.InvariantCulture));
        textWriter.Write(Label(logEntry.LogLevel));
        textWriter.Write(ShortName(logEntry.Category));
        textWriter.Write(": ");
        WriteIndented(textWriter, message);
        if (logEntry.Exception is { } exception)
        {
            textWriter.Write(_withStackTraces ? "\n    " : ": ");
            WriteIndented(textWriter, _withStackTraces ? exception.ToString() : exception.Message);
        }

        textWriter.Write('\n');
    }

    private static string Label(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace ",
        LogLevel.Debug => "debug ",
        LogLevel.Information => "info  ",
        LogLevel.Warning => "warn  ",
        LogLevel.Error => "error ",
        _ => "crit  ",
    };

    /// <summary>Our categories are short already; Kestrel's are shown as one.</summary>
    internal static string ShortName(string category)
        => category.StartsWith("Microsoft.AspNetCore.Server.Kestrel", StringComparison.Ordinal) ? "kestrel" : category;

    private static void WriteIndented(TextWriter writer, string text)
    {
        foreach (var c in text.AsSpan().TrimEnd("\r\n"))
        {
            if (c == '\n') writer.Write("\n    ");
            else if (c is '\t' || !IsUnseemly(c)) writer.Write(c);
            else if (c != '\r') writer.Write($"\\x{(int)c:x2}");
        }
    }

    /// <summary>Controls, and the two characters beyond them that end a line for some programs.</summary>
    private static bool IsUnseemly(char c) => char.IsControl(c) || c is '\u2028' or '\u2029';
}
