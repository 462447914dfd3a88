using System.Text;

namespace UGreen.Py.Front.Uwsgi.Tests;

/// <summary>
/// The protocol's rules once more, written plainly and independently of the codec, to compare with: null for "more bytes are needed", otherwise what the codec must say.
/// </summary>
internal static class SecondReader
{
    private static readonly string[] s_dropped =
    [
        "UWSGI_FILE", "UWSGI_MODULE", "UWSGI_SCRIPT", "UWSGI_CALLABLE", "UWSGI_PYHOME", "UWSGI_HOME", "UWSGI_CHDIR", "UWSGI_TOUCH_RELOAD", "UWSGI_SETENV", "UWSGI_POSTFILE",
        "UWSGI_CACHE_GET", "UWSGI_APPID",
    ];

    private static readonly string[] s_oneLine =
    [
        "CONTENT_TYPE", "REQUEST_METHOD", "REQUEST_URI", "QUERY_STRING", "SERVER_PROTOCOL", "CONTENT_LENGTH", "REMOTE_ADDR", "REMOTE_PORT", "SERVER_NAME", "SERVER_PORT", "HTTPS",
        "REQUEST_SCHEME", "UWSGI_SCHEME",
    ];

    public sealed record Answer(string Kind, int Size, IReadOnlyList<(string Name, string Value)> Variables, long? Length);

    public static Answer? Read(byte[] bytes, UwsgiLimits limits)
    {
        var refused = new Answer("Refused", 0, [], null);
        if (bytes.Length == 0) return null;
        if (bytes[0] != 0 && bytes[0] != 100) return refused;
        if (bytes.Length < 4) return null;
        if (bytes[0] == 100 && bytes[3] != 0) return refused;
        var size = bytes[1] + (256 * bytes[2]);
        if (size > limits.BlockBytes) return refused;
        if (bytes.Length < 4 + size) return null;
        if (bytes[0] == 100) return new Answer("Ping", 4 + size, [], null);

        // An exact copy: a reader that went past the block would throw here.
        using var reader = new BinaryReader(new MemoryStream(bytes[4..(4 + size)], writable: false), Encoding.Latin1);
        var list = new List<(string Name, string Value)>();
        while (reader.BaseStream.Position < size)
        {
            if (Text(reader) is not { } name || name.Length == 0 || name.Length > limits.NameBytes || Text(reader) is not { } value) return refused;
            if (name.Any(c => c is <= ' ' or >= '\x7f')) return refused;
            list.Add((name, value));
        }

        if (list.Count > limits.Variables) return refused;
        return Judge(list, size) ?? refused;
    }

    private static Answer? Judge(List<(string Name, string Value)> list, int size)
    {
        list.RemoveAll(v => s_dropped.Contains(v.Name) || v.Name.StartsWith("wsgi.", StringComparison.Ordinal) || v.Name.StartsWith("uwsgi.", StringComparison.Ordinal)
            || v.Name.StartsWith("ugreen.", StringComparison.Ordinal) || v.Name.StartsWith("x-wsgiorg.", StringComparison.Ordinal));
        foreach (var (name, value) in list)
        {
            var strict = name.StartsWith("HTTP_", StringComparison.Ordinal) || s_oneLine.Contains(name);
            if (value.Any(c => c == 0 || (strict && (c is < ' ' and not '\t' or '\x7f')))) return null;
        }

        var methods = list.Where(v => v.Name == "REQUEST_METHOD").ToList();
        if (methods.Count == 0 || methods.Any(m => m.Value.Length == 0 || m.Value.Any(c => !char.IsAsciiLetterOrDigit(c) && !"!#$%&'*+-.^_`|~".Contains(c)))) return null;

        var lengths = list.Where(v => v.Name == "CONTENT_LENGTH" && v.Value.Length > 0).Select(v => v.Value).ToList();
        if (lengths.Any(v => v.Any(c => !char.IsAsciiDigit(c)) || System.Numerics.BigInteger.Parse(v) > long.MaxValue)) return null;
        if (lengths.Select(System.Numerics.BigInteger.Parse).Distinct().Count() > 1) return null;
        long? length = lengths.Count == 0 ? null : long.Parse(lengths[0]);
        if (length is null && list.LastOrDefault(v => v.Name == "HTTP_TRANSFER_ENCODING").Value is { Length: > 0 }) return null;
        return new Answer("Request", 4 + size, [.. list.Where(v => v.Name is not ("HTTP_TRANSFER_ENCODING" or "HTTP_CONTENT_TYPE" or "HTTP_CONTENT_LENGTH"))], length);
    }

    private static string? Text(BinaryReader reader)
    {
        var left = reader.BaseStream.Length - reader.BaseStream.Position;
        if (left < 2) return null;
        var length = reader.ReadUInt16();
        return length > left - 2 ? null : Encoding.Latin1.GetString(reader.ReadBytes(length));
    }
}
