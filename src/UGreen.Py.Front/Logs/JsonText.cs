using System.Buffers;
using System.Text;
using System.Text.Json;

namespace UGreen.Py.Front.Logs;

/// <summary>
/// Strings in JSON as a log wants them: pure ASCII, so that nothing in them moves a cursor or turns the direction of a line, and otherwise as they are.
/// <see cref="Utf8JsonWriter"/>'s own encoders either leave other scripts as they are or escape what HTML minds, and an &amp; is in every other target.
/// </summary>
public static class JsonText
{
    private const string Hex = "0123456789abcdef";
    private const int LongestEscape = 6;

    private static readonly SearchValues<char> s_plain = SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c).Except(['"', '\\'])]);

    /// <summary>Writes a property; any text, half of a surrogate pair as U+FFFD.</summary>
    /// <param name="json">Inside an object.</param>
    /// <param name="name">ASCII that needs no escape.</param>
    /// <param name="text">The value.</param>
    public static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, scoped ReadOnlySpan<char> text)
    {
        ArgumentNullException.ThrowIfNull(json);
        json.WritePropertyName(name);
        WriteValue(json, text);
    }

    /// <summary>As <see cref="Write"/>, after a name.</summary>
    public static void WriteValue(Utf8JsonWriter json, scoped ReadOnlySpan<char> text)
    {
        ArgumentNullException.ThrowIfNull(json);
        var room = ArrayPool<byte>.Shared.Rent((LongestEscape * text.Length) + 2);
        json.WriteRawValue(room.AsSpan(0, Quote(text, room)), skipInputValidation: true);
        ArrayPool<byte>.Shared.Return(room);
    }

    private static int Quote(ReadOnlySpan<char> text, Span<byte> to)
    {
        var length = 0;
        to[length++] = (byte)'"';
        while (!text.IsEmpty)
        {
            var run = text.IndexOfAnyExcept(s_plain);
            if (run < 0) run = text.Length;
            _ = Ascii.FromUtf16(text[..run], to[length..], out var copied);
            length += copied;
            text = text[run..];
            if (text.IsEmpty) break;

            var isPair = text.Length > 1 && char.IsSurrogatePair(text[0], text[1]);
            length = Escape(isPair || !char.IsSurrogate(text[0]) ? text[0] : '\ufffd', to, length);
            if (isPair) length = Escape(text[1], to, length);
            text = text[(isPair ? 2 : 1)..];
        }

        to[length++] = (byte)'"';
        return length;
    }

    private static int Escape(char c, Span<byte> to, int length)
    {
        to[length++] = (byte)'\\';
        if (c is '"' or '\\' or '\n' or '\t')
        {
            to[length++] = (byte)(c switch { '\n' => 'n', '\t' => 't', _ => c });
            return length;
        }

        to[length++] = (byte)'u';
        for (var shift = 12; shift >= 0; shift -= 4) to[length++] = (byte)Hex[(c >> shift) & 15];
        return length;
    }
}
