using System.Text;
using UGreen.Py.CPython;

namespace UGreen.Py.Wsgi.Environ;

/// <summary>
/// The environ key of every header name seen so far, as an interned Python string: "Accept-Language" → HTTP_ACCEPT_LANGUAGE. Names come from clients, so the table has a
/// limit; beyond it keys are made afresh each time. Hub thread.
/// </summary>
internal sealed class HeaderKeys(bool areVariables = false)
{
    // Browsers and proxies use far fewer names; each costs some 200 bytes.
    private const int Limit = 512;

    private readonly Dictionary<string, HeaderKey> _keys = new(areVariables ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase);

    /// <summary>The key for a header. When <see cref="HeaderKey.IsShared"/> is false the caller releases it.</summary>
    public HeaderKey For(string name)
    {
        if (_keys.TryGetValue(name, out var key)) return key;
        var shared = _keys.Count < Limit;
        key = new HeaderKey(PyText.Interned(areVariables ? name : EnvironName(name)).OrThrow(), shared);
        if (shared) _keys.Add(name, key);
        return key;
    }

    private static string EnvironName(string header)
    {
        // CGI (RFC 3875, section 4.1): these two have no HTTP_ prefix.
        if (header.Equals("content-type", StringComparison.OrdinalIgnoreCase)) return "CONTENT_TYPE";
        if (header.Equals("content-length", StringComparison.OrdinalIgnoreCase)) return "CONTENT_LENGTH";
        var name = new StringBuilder("HTTP_", header.Length + 5);
        foreach (var c in header) name.Append(c == '-' ? '_' : char.ToUpperInvariant(c));
        return name.ToString();
    }
}
