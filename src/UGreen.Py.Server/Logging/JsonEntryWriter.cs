using System.Text;
using Microsoft.Extensions.Logging;

namespace UGreen.Py.Server.Logging;

/// <summary>What the server says outside its loggers, with <c>--log-json</c>: each text written is one entry.</summary>
internal sealed class JsonEntryWriter(TextWriter output, TimeProvider time, LogLevel level) : TextWriter
{
    public override Encoding Encoding => output.Encoding;

    public override void Write(char value) => Write(value.ToString());

    public override void Write(string? value)
    {
        if (value?.TrimEnd('\n') is { Length: > 0 } text) output.Write(JsonEntry.Build(time.GetLocalNow(), level, ServerLog.Category, text));
    }

    public override void Flush() => output.Flush();
}
