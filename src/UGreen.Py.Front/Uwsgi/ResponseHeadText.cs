using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Uwsgi;

/// <summary>
/// A response head as HTTP/1.x text, which is what the uwsgi protocol answers with. Checked whole before the first byte is written, so that a head that cannot be
/// sent leaves nothing behind.
/// </summary>
internal static class ResponseHeadText
{
    // What stands beside names and values: "HTTP/1.1 200 ", "Content-Length: 9223372036854775807", line ends.
    private const int FixedBytes = 96;

    private static readonly SearchValues<char> s_nameCharacters = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    // RFC 9110, section 5.5, and nothing beyond latin-1: the tab, then space to 0xff without DEL.
    private static readonly SearchValues<char> s_valueCharacters = SearchValues.Create([.. Enumerable.Range(0x20, 0xe0).Where(c => c != 0x7f).Append('\t').Select(c => (char)c)]);

    /// <param name="head">Status and headers.</param>
    /// <param name="length">The Content-Length; null for none.</param>
    /// <param name="protocol">Of the request.</param>
    /// <param name="output">Where the text goes; nothing is flushed.</param>
    /// <param name="logger">Hears of headers that are left out.</param>
    /// <exception cref="InvalidOperationException">The head cannot be sent; the message is one line.</exception>
    public static void Write(ResponseHead head, long? length, string protocol, IBufferWriter<byte> output, ILogger logger)
    {
        var reason = string.IsNullOrEmpty(head.Reason) ? ReasonPhrases.GetReasonPhrase(head.Status) : head.Reason;
        var size = Check(head, reason);
        var text = output.GetSpan(size);

        var at = Put("HTTP/1.", text, 0);
        // The text that follows is HTTP/1.x, whatever the client spoke: of HTTP/2.0 or nonsense it becomes 1.1.
        text[at++] = protocol == "HTTP/1.0" ? (byte)'0' : (byte)'1';
        text[at++] = (byte)' ';
        at = PutNumber(head.Status, text, at);
        text[at++] = (byte)' ';
        at = PutLine(reason, text, at);
        foreach (ref readonly var field in head.Headers)
        {
            if (IsFraming(field.Name))
            {
                UwsgiLog.FramingHeaderDropped(logger, field.Name);
                continue;
            }

            at = Put(field.Name, text, at);
            at = Put(": ", text, at);
            at = PutLine(field.Value, text, at);
        }

        if (length is { } bytes)
        {
            at = Put("Content-Length: ", text, at);
            at = PutNumber(bytes, text, at);
            at = PutLine("", text, at);
        }

        at = PutLine("", text, at);
        output.Advance(at);
    }

    private static int Check(ResponseHead head, string reason)
    {
        if (!HttpStatus.IsFinal(head.Status)) throw new InvalidOperationException($"status {head.Status} is not a final status (200 to 999)");
        if (reason.AsSpan().ContainsAnyExcept(s_valueCharacters)) throw new InvalidOperationException("control character in the reason phrase");

        var size = FixedBytes + reason.Length;
        foreach (ref readonly var field in head.Headers)
        {
            if (field.Name.Length == 0 || field.Name.AsSpan().ContainsAnyExcept(s_nameCharacters)) throw new InvalidOperationException("a header name is not a token");
            if (field.Value.AsSpan().ContainsAnyExcept(s_valueCharacters)) throw new InvalidOperationException($"control character in the header {field.Name}");
            size = checked(size + field.Name.Length + field.Value.Length + 4);
        }

        return size;
    }

    /// <summary>Those that say where the message ends; only the front says that.</summary>
    private static bool IsFraming(string name)
        => name.Length is 10 or 14 or 17
            && (name.Equals("Connection", StringComparison.OrdinalIgnoreCase)
                || name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
                || name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase));

    private static int Put(string part, Span<byte> text, int at) => at + Encoding.Latin1.GetBytes(part, text[at..]);

    private static int PutLine(string part, Span<byte> text, int at)
    {
        at = Put(part, text, at);
        text[at++] = (byte)'\r';
        text[at++] = (byte)'\n';
        return at;
    }

    private static int PutNumber(long number, Span<byte> text, int at)
    {
        _ = number.TryFormat(text[at..], out var written, provider: CultureInfo.InvariantCulture);
        return at + written;
    }
}
