using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace UGreen.Py.Server.Logging;

/// <summary>The server's lines with <c>--log-json</c>, see <see cref="JsonEntry"/>. A message of several lines (a Python traceback) is one string.</summary>
internal sealed class JsonConsoleFormatter : ConsoleFormatter
{
    public const string FormatterName = "json-lines";

    private readonly TimeProvider _time;
    private readonly bool _withStackTraces;

    /// <param name="time">The clock of the field "time".</param>
    /// <param name="withStackTraces">.NET stack traces are for those who look for a bug: at debug level.</param>
    public JsonConsoleFormatter(TimeProvider time, bool withStackTraces) : base(FormatterName)
    {
        _time = time;
        _withStackTraces = withStackTraces;
    }

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var exception = _withStackTraces ? logEntry.Exception?.ToString() : logEntry.Exception?.Message;
        textWriter.Write(JsonEntry.Build(_time.GetLocalNow(), logEntry.LogLevel, CompactConsoleFormatter.ShortName(logEntry.Category), message, exception));
    }
}
