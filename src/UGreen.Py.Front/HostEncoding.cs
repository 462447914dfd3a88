using System.Text;

namespace UGreen.Py.Front;

/// <summary>
/// Decodes the value of a request's Host as Latin-1 and leaves an empty port out: <c>name:</c> is a valid Host (RFC 9110, section 7.2, by RFC 3986, section 3.2.3) and means the
/// same as <c>name</c>, but Kestrel refuses it. The encoding is the one place where the bytes can be seen before it does. A Host that comes again on the same connection is not
/// decoded again.
/// </summary>
internal sealed class HostEncoding : Encoding
{
    public static readonly HostEncoding Instance = new();

    private HostEncoding()
    {
    }

    public override int GetCharCount(byte[] bytes, int index, int count) => Length(bytes.AsSpan(index, count));

    public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars) => Latin1.GetChars(bytes[..Length(bytes)], chars);

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
        => GetChars(bytes.AsSpan(byteIndex, byteCount), chars.AsSpan(charIndex));

    public override int GetMaxCharCount(int byteCount) => byteCount;

    public override int GetByteCount(char[] chars, int index, int count) => Latin1.GetByteCount(chars, index, count);

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex)
        => Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    public override int GetMaxByteCount(int charCount) => Latin1.GetMaxByteCount(charCount);

    // A lone colon is no name, and "[::" no address: what is left of those stays as it is, for Kestrel to refuse.
    private static int Length(ReadOnlySpan<byte> host)
        => host.Length > 1 && host[^1] == ':' && (host[^2] == ']' || !host[..^1].Contains((byte)':')) ? host.Length - 1 : host.Length;
}
