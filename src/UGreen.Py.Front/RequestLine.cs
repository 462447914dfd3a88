using System.Globalization;
using System.Text.Unicode;
using UGreen.Py.Front.Logs;

namespace UGreen.Py.Front;

/// <summary>
/// One request as one line: <c>18:04:05.123 info  request: GET "/a?b" 200 13 bytes 0.4 ms core 3 switches 2</c>.
/// <para>
/// Invariant: the result is ASCII and has exactly one line break, at its end; quotes occur only around the target. Whatever a client sends, it can neither
/// begin a line of its own nor end the target early.
/// </para>
/// </summary>
public readonly ref struct RequestLine
{
    /// <summary>Longest line. A longer target is cut: the longest that a client can send (64 KiB) is of no use to a reader.</summary>
    public const int MaxBytes = 2048;

    // What stands beside the target takes less than this: time and labels 60, status, bytes, milliseconds, core and switches at most 20 digits each.
    private const int Reserved = 288;
    private const int MaxMethodBytes = 64;

    public TimeSpan At { get; init; }

    public string Method { get; init; }

    public string Target { get; init; }

    public int Status { get; init; }

    public long Bytes { get; init; }

    public double Milliseconds { get; init; }

    /// <summary>-1: no core ran it.</summary>
    public int Core { get; init; }

    public long Switches { get; init; }

    public bool Aborted { get; init; }

    /// <summary>Writes the line, with its line break, into <paramref name="line"/> of at least <see cref="MaxBytes"/> bytes.</summary>
    /// <returns>The number of bytes.</returns>
    public int Format(Span<byte> line)
    {
        Utf8.TryWrite(line, CultureInfo.InvariantCulture, $"{At:hh\\:mm\\:ss\\.fff} info  request: ", out var length);
        length += LogText.Escape(Method, line.Slice(length, MaxMethodBytes));
        length += Put(line[length..], " \""u8);
        length += LogText.Escape(Target, line[length..^Reserved]);
        Utf8.TryWrite(line[length..], CultureInfo.InvariantCulture, $"\" {Status} {Bytes} bytes {Milliseconds:F1} ms", out var written);
        length += written;
        if (Core >= 0)
        {
            Utf8.TryWrite(line[length..], CultureInfo.InvariantCulture, $" core {Core} switches {Switches}", out written);
            length += written;
        }

        if (Aborted) length += Put(line[length..], " aborted"u8);
        line[length++] = (byte)'\n';
        return length;
    }

    private static int Put(Span<byte> to, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to);
        return bytes.Length;
    }
}
