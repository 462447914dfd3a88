using System.Text;

namespace UGreen.Py.Front;

/// <summary>
/// Decodes the value of a request's Content-Length: digits, and nothing else.
/// <para>
/// Kestrel reads "+5" and "-0" as numbers and keeps no raw text to check afterwards; a proxy in front may read them as something else, and then the two
/// disagree where the next request begins. The encoding is the one place where the bytes can be seen before Kestrel parses them: each byte that is no digit
/// becomes a letter, and Kestrel answers 400.
/// </para>
/// </summary>
internal sealed class ContentLengthEncoding : Encoding
{
    private const char Wrong = 'x';

    public static readonly ContentLengthEncoding Instance = new();

    private ContentLengthEncoding()
    {
    }

    public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
    {
        // Kestrel offers room for one char more than the longest number and refuses what fills it.
        var count = Math.Min(bytes.Length, chars.Length);
        for (var i = 0; i < count; i++) chars[i] = char.IsAsciiDigit((char)bytes[i]) ? (char)bytes[i] : Wrong;
        return count;
    }

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
        => GetChars(bytes.AsSpan(byteIndex, byteCount), chars.AsSpan(charIndex));

    public override int GetCharCount(byte[] bytes, int index, int count) => count;

    public override int GetMaxCharCount(int byteCount) => byteCount;

    public override int GetByteCount(char[] chars, int index, int count) => Latin1.GetByteCount(chars, index, count);

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex)
        => Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    public override int GetMaxByteCount(int charCount) => Latin1.GetMaxByteCount(charCount);
}
