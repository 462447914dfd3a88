using System.Buffers;
using System.Text;

namespace UGreen.Py.Front.Logs;

/// <summary>
/// Text of others in a line: printable ASCII is copied; a quote, a backslash and every other byte becomes <c>\xNN</c>. So nothing can end a line or a quoted field, and no
/// terminal takes any of it for a command.
/// </summary>
internal static class LogText
{
    private const string Hex = "0123456789abcdef";

    // 4 for the longest escape, 3 for the dots.
    private const int Margin = 7;

    private static readonly SearchValues<char> s_plain = SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c).Except(['"', '\\'])]);
    private static readonly SearchValues<byte> s_plainBytes = SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (byte)c).Except([(byte)'"', (byte)'\\'])]);

    /// <summary>Text that does not fit ends in "..."; of fewer than <see cref="Margin"/> bytes nothing but dots is used.</summary>
    /// <returns>The number of bytes.</returns>
    public static int Escape(ReadOnlySpan<char> text, Span<byte> to)
    {
        var length = 0;
        while (!text.IsEmpty)
        {
            var room = to.Length - length - Margin;
            if (room < 0) return Dots(to, length);

            var run = text.IndexOfAnyExcept(s_plain);
            if (run == 0)
            {
                length = PutEscape(text[0], to, length);
                text = text[1..];
                continue;
            }

            if (run < 0) run = text.Length;
            if (run > room + 1) return Dots(to, length + Copy(text[..(room + 1)], to[length..]));
            length += Copy(text[..run], to[length..]);
            text = text[run..];
        }

        return length;
    }

    /// <summary>As <see cref="Escape(ReadOnlySpan{char}, Span{byte})"/>, for bytes.</summary>
    public static int Escape(ReadOnlySpan<byte> text, Span<byte> to)
    {
        var length = 0;
        foreach (var b in text)
        {
            if (length + Margin > to.Length) return Dots(to, length);
            if (s_plainBytes.Contains(b)) to[length++] = b;
            else length = PutEscape((char)b, to, length);
        }

        return length;
    }

    private static int PutEscape(char c, Span<byte> to, int length)
    {
        to[length++] = (byte)'\\';
        to[length++] = (byte)'x';
        // Beyond latin-1 nothing arrives from a front; the low byte alone would look like another char.
        to[length++] = (byte)(c > 0xff ? '?' : Hex[c >> 4]);
        to[length++] = (byte)(c > 0xff ? '?' : Hex[c & 15]);
        return length;
    }

    private static int Copy(ReadOnlySpan<char> plain, Span<byte> to)
    {
        _ = Ascii.FromUtf16(plain, to, out var written);
        return written;
    }

    private static int Dots(Span<byte> to, int length)
    {
        var dots = "..."u8[..Math.Min(3, to.Length - length)];
        dots.CopyTo(to[length..]);
        return length + dots.Length;
    }
}
