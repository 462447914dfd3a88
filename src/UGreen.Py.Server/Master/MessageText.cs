using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace UGreen.Py.Server.Master;

/// <summary>The text that ends a message of a <see cref="ControlChannel"/>: UTF-8, without control characters but for tabs and line breaks.</summary>
internal static class MessageText
{
    private const char Replacement = '\uFFFD';

    // Where a text was cut.
    private static readonly byte[] s_more = "…"u8.ToArray();

    /// <summary>A message of some fixed bytes and a text. What a text may not hold becomes U+FFFD, and one that is too long is cut.</summary>
    public static byte[] Compose(ReadOnlySpan<byte> start, string text)
    {
        var allowed = string.Create(text.Length, text, static (room, from) =>
        {
            for (var i = 0; i < room.Length; i++) room[i] = IsAllowed(from[i]) ? from[i] : Replacement;
        });
        var message = new byte[ControlChannel.MostBytes];
        start.CopyTo(message);
        var room = message.AsSpan(start.Length, message.Length - start.Length - s_more.Length);
        // Whole characters only.
        var isCut = Utf8.FromUtf16(allowed, room, out _, out var written) == OperationStatus.DestinationTooSmall;
        var end = start.Length + written;
        if (!isCut) return message[..end];
        s_more.CopyTo(message, end);
        return message[..(end + s_more.Length)];
    }

    /// <summary>The text in these bytes; null: it is none, and <paramref name="error"/> says why.</summary>
    public static string? Read(ReadOnlySpan<byte> bytes, out string? error)
    {
        error = null;
        if (!Utf8.IsValid(bytes))
        {
            error = "its text is not UTF-8";
            return null;
        }

        var text = Encoding.UTF8.GetString(bytes);
        foreach (var c in text)
        {
            if (IsAllowed(c)) continue;
            error = $"there is a control character (U+{(int)c:X4}) in its text";
            return null;
        }

        return text;
    }

    private static bool IsAllowed(char c) => c is '\t' or '\n' || !char.IsControl(c);
}
