using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using UGreen.Py.Front.Logs;

namespace UGreen.Py.Server.Logging;

/// <summary>An entry of the server's own as one line of JSON, all of it ASCII: time, level, logger, message, and an exception where there is one.</summary>
internal static class JsonEntry
{
    /// <returns>The line with its line break.</returns>
    public static string Build(DateTimeOffset at, LogLevel level, string logger, string message, string? exception = null)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            JsonText.Write(json, "time"u8, at.ToString("yyyy-MM-dd'T'HH:mm:ss.fffzzz", CultureInfo.InvariantCulture));
            JsonText.Write(json, "level"u8, Name(level));
            JsonText.Write(json, "logger"u8, logger);
            JsonText.Write(json, "message"u8, message);
            if (exception is not null) JsonText.Write(json, "exception"u8, exception);
            json.WriteEndObject();
        }

        return Encoding.ASCII.GetString(buffer.WrittenSpan) + "\n";
    }

    /// <summary>The words of <c>--log-level</c>.</summary>
    private static string Name(LogLevel level) => level == LogLevel.Information ? "info" : level.ToString().ToLowerInvariant();
}
