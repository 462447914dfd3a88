using System.Buffers.Text;

namespace UGreen.Py.Front.Logs;

/// <summary>Fills a buffer with one line. What does not fit is left out, never the line break.</summary>
internal ref struct LineWriter
{
    /// <summary>Longest value of one variable; a longer one is cut. Whatever a client sends, the other variables stay readable.</summary>
    public const int MaxValueBytes = 2048;

    private readonly Span<byte> _line;
    private int _length;

    public LineWriter(Span<byte> line) => _line = line;

    private readonly Span<byte> Free => _line[_length..^1];

    /// <summary>Bytes that are what they should be.</summary>
    public void Put(scoped ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Free.Length) bytes = bytes[..Free.Length];
        bytes.CopyTo(Free);
        _length += bytes.Length;
    }

    /// <summary>Text of others; "-" for none.</summary>
    public void PutText(scoped ReadOnlySpan<char> text)
    {
        if (text.IsEmpty) Put("-"u8);
        else _length += LogText.Escape(text, Room());
    }

    /// <summary>Bytes of others; "-" for none.</summary>
    public void PutText(scoped ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) Put("-"u8);
        else _length += LogText.Escape(text, Room());
    }

    public void PutNumber(long number)
    {
        if (Utf8Formatter.TryFormat(number, Free, out var written)) _length += written;
    }

    /// <summary>A time in a format of <see cref="DateTimeOffset"/>'s.</summary>
    public void PutTime(DateTimeOffset at, string format)
    {
        if (at.TryFormat(Free, out var written, format, System.Globalization.CultureInfo.InvariantCulture)) _length += written;
    }

    /// <summary>Ends the line.</summary>
    /// <returns>Its length in bytes.</returns>
    public int End()
    {
        _line[_length++] = (byte)'\n';
        return _length;
    }

    private readonly Span<byte> Room() => Free.Length > MaxValueBytes ? Free[..MaxValueBytes] : Free;
}
