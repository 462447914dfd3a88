using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Logs;

/// <summary>
/// One JSON object per request, all of it ASCII: whatever a client sent is escaped by JSON's rules. Headers are latin-1, each byte one character; variables of the
/// application are UTF-8 if they can be. Every line has the same fields; what is unknown is null.
/// </summary>
public sealed class JsonFormat : IRequestFormat
{
    /// <summary>Longest text of one field, in characters; a longer one is cut, and the line then says "truncated".</summary>
    public const int MaxFieldChars = 2048;

    // With a line as long as this no further variables of the application are written.
    private const int EnoughBytes = 32 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? t_buffer;

    [ThreadStatic]
    private static Utf8JsonWriter? t_writer;

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Format(scoped in RequestEntry entry)
    {
        var buffer = t_buffer ??= new ArrayBufferWriter<byte>(4096);
        // Its encoder, the default one, leaves nothing but printable ASCII of a name that the application chose. Validation would only check that this class opens and closes objects in order.
        var json = t_writer ??= new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true });
        buffer.ResetWrittenCount();
        json.Reset();

        json.WriteStartObject();
        WriteTime(json, entry.Time.GetLocalNow());
        json.WriteString("level"u8, "info"u8);
        json.WriteString("logger"u8, "request"u8);
        WriteRequest(json, entry);
        json.WriteEndObject();
        json.Flush();
        buffer.Write("\n"u8);
        return buffer.WrittenSpan;
    }

    private static void WriteRequest(Utf8JsonWriter json, scoped in RequestEntry entry)
    {
        var exchange = entry.Exchange;
        var truncated = Write(json, "method"u8, exchange.Method);
        truncated |= Write(json, "uri"u8, exchange.Target);
        truncated |= Write(json, "proto"u8, exchange.Protocol);
        truncated |= Write(json, "host"u8, RequestVariable.Header(exchange, "Host", "HTTP_HOST"));
        truncated |= Write(json, "addr"u8, entry.Address);
        truncated |= Write(json, "user_agent"u8, RequestVariable.Header(exchange, "User-Agent", "HTTP_USER_AGENT"));
        truncated |= Write(json, "referer"u8, RequestVariable.Header(exchange, "Referer", "HTTP_REFERER"));
        json.WriteNumber("status"u8, entry.Status);
        json.WriteNumber("bytes"u8, exchange.BytesOut);
        json.WriteNumber("ms"u8, Math.Round(entry.Milliseconds, 3));
        if (exchange.Core < 0) json.WriteNull("core"u8);
        else json.WriteNumber("core"u8, exchange.Core);
        json.WriteNumber("switches"u8, exchange.Switches);
        json.WriteBoolean("aborted"u8, entry.Aborted);
        if (exchange.LogNotes is { Variables.Count: > 0 } notes) truncated |= Write(json, notes);
        if (truncated) json.WriteBoolean("truncated"u8, true);
    }

    private static bool Write(Utf8JsonWriter json, LogNotes notes)
    {
        var truncated = false;
        Span<char> nameRoom = stackalloc char[MaxFieldChars];
        Span<char> valueRoom = stackalloc char[MaxFieldChars];
        json.WriteStartObject("logvars"u8);
        for (var i = 0; i < notes.Variables.Count; i++)
        {
            if (json.BytesPending + json.BytesCommitted > EnoughBytes)
            {
                truncated = true;
                break;
            }

            var (name, value) = notes.Variables[i];
            truncated |= Decode(name, nameRoom, out var nameLength) | Decode(value, valueRoom, out var valueLength);
            json.WritePropertyName(nameRoom[..nameLength]);
            JsonText.WriteValue(json, valueRoom[..valueLength]);
        }

        json.WriteEndObject();
        return truncated;
    }

    /// <returns>True when the text was cut.</returns>
    private static bool Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, scoped ReadOnlySpan<char> text)
    {
        if (text.IsEmpty) json.WriteNull(name);
        else JsonText.Write(json, name, text.Length > MaxFieldChars ? text[..MaxFieldChars] : text);
        return text.Length > MaxFieldChars;
    }

    /// <returns>True when the text was cut.</returns>
    private static bool Decode(ReadOnlySpan<byte> bytes, Span<char> chars, out int length)
    {
        var isCut = bytes.Length > chars.Length;
        if (isCut)
        {
            // Not in the middle of a character.
            var end = chars.Length;
            while (end > chars.Length - 4 && (bytes[end] & 0xc0) == 0x80) end--;
            bytes = bytes[..end];
        }

        var encoding = Utf8.IsValid(bytes) ? Encoding.UTF8 : Encoding.Latin1;
        length = encoding.GetChars(bytes, chars);
        return isCut;
    }

    private static void WriteTime(Utf8JsonWriter json, DateTimeOffset at)
    {
        Span<char> text = stackalloc char[32];
        _ = at.TryFormat(text, out var length, "yyyy-MM-dd'T'HH:mm:ss.fffzzz", CultureInfo.InvariantCulture);
        JsonText.Write(json, "time"u8, text[..length]);
    }
}
