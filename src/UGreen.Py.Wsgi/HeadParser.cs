using System.Buffers;
using System.Globalization;
using System.Text;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi;

/// <summary>
/// Reads what an application passed to start_response into a <see cref="ResponseHead"/>, and refuses what must not reach the wire: no CR, LF or NUL anywhere (response
/// splitting), only token characters in names, one numeric Content-Length. Errors are Python exceptions that name the header. Hop-by-hop headers (PEP 3333) are left out, or with
/// <c>--wsgi-strict</c> refused.
/// </summary>
internal sealed class HeadParser(bool isStrict = false)
{
    // Applications pass the same few name objects again and again; the cache holds a reference to each so that its address stays its own.
    private const int NameCacheLimit = 256;

    private readonly Dictionary<nint, string> _names = [];
    private readonly List<string> _leftOut = [];

    // RFC 9110, section 7.6.1, and PEP 3333, "Other HTTP Features": these belong to the connection, which is the server's. Proxy-Connection is in neither, and makes a response
    // malformed in HTTP/2 as the others do (RFC 9113, section 8.2.2).
    private static readonly HashSet<string> s_hopByHop = new(StringComparer.OrdinalIgnoreCase)
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailers", "trailer", "transfer-encoding", "upgrade",
    };

    // Everything below space except the tab (RFC 9110, section 5.5), and DEL.
    private static readonly SearchValues<char> s_controls = SearchValues.Create([.. Enumerable.Range(0, 32).Where(c => c != '\t').Append(127).Select(c => (char)c)]);

    private static readonly char[] s_blanks = [' ', '\t'];

    /// <summary>Names of the headers that the last head lost, in its order.</summary>
    public IReadOnlyList<string> LeftOut => _leftOut;

    /// <summary>Fills the head, which is cleared first. Throws <see cref="HubCallException"/>; the head is then empty.</summary>
    public void Parse(BorrowedRef status, BorrowedRef headers, ResponseHead head)
    {
        head.Clear();
        _leftOut.Clear();
        try
        {
            ParseStatus(status, head);
            var count = CApi.PyList_Size(headers);
            if (count < 0)
            {
                CApi.PyErr_Clear();
                throw HubCallException.Type("start_response: headers must be a list of (name, value) tuples");
            }

            for (nint i = 0; i < count; i++) ParseHeader(CApi.PyList_GetItem(headers, i), head);
        }
        catch
        {
            head.Clear();
            throw;
        }
    }

    private static void ParseStatus(BorrowedRef status, ResponseHead head)
    {
        var text = PyText.ToLatin1(status) ?? throw HubCallException.Type("start_response: status must be a str such as '200 OK'");
        if (text.Length < 3 || !int.TryParse(text.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var code) || code < 100 || (text.Length > 3 && text[3] != ' '))
            throw HubCallException.Value($"start_response: status {Quoted(text)} must begin with a three-digit code and a space");
        if (HasControl(text)) throw HubCallException.Value($"start_response: status {Quoted(text)} holds a control character");
        if (!Ascii.IsValid(text)) throw HubCallException.Value($"start_response: status {Quoted(text)} holds a character beyond ASCII, which HTTP's status line cannot carry to every client");
        if (code < 200) throw HubCallException.Value($"start_response: {code} is an interim status, which only the server may send");
        head.Status = code;

        // "200 OK" and the like have their standard phrase anyway; a bare "200" gets it.
        if (text.Length > 4) head.Reason = StandardReason(code, text) ?? text[4..];
    }

    private static string? StandardReason(int code, string text) => code switch
    {
        200 when text.AsSpan(4) is "OK" => "OK",
        _ => null,
    };

    private void ParseHeader(BorrowedRef item, ResponseHead head)
    {
        if (CApi.PyTuple_Size(item) != 2)
        {
            CApi.PyErr_Clear();
            throw HubCallException.Type("start_response: every header must be a tuple (name, value)");
        }

        var name = Name(CApi.PyTuple_GetItem(item, 0), out var isHopByHop);
        var value = PyText.ToLatin1(CApi.PyTuple_GetItem(item, 1)) ?? throw HubCallException.Type($"start_response: the value of the header {Quoted(name)} must be a str of latin-1 characters");
        if (HasControl(value)) throw HubCallException.Value($"start_response: the value of the header {Quoted(name)} holds a control character");
        if (isHopByHop)
        {
            _leftOut.Add(name);
            return;
        }

        if (!name.Equals("content-length", StringComparison.OrdinalIgnoreCase))
        {
            // Django's cookies begin with a space. HTTP/1.1 lets whoever reads ignore it; in HTTP/2 it makes the whole response malformed (RFC 9113, section 8.2.1).
            head.Add(name, value.Trim(s_blanks));
            return;
        }

        if (!long.TryParse(value.AsSpan().Trim(' '), NumberStyles.None, CultureInfo.InvariantCulture, out var length))
            throw HubCallException.Value($"start_response: Content-Length {Quoted(value)} is not a number");
        if (head.ContentLength is { } other && other != length) throw HubCallException.Value("start_response: two different Content-Length headers");
        head.ContentLength = length;
    }

    private string Name(BorrowedRef item, out bool isHopByHop)
    {
        isHopByHop = false;
        if (_names.TryGetValue(item.Address, out var known)) return known;
        var name = PyText.ToLatin1(item) ?? throw HubCallException.Type("start_response: a header name must be a str of ASCII characters");
        if (name.Length == 0 || name.Any(c => !IsToken(c))) throw HubCallException.Value($"start_response: {Quoted(name)} is not a header name");
        if (s_hopByHop.Contains(name))
        {
            if (isStrict) throw HubCallException.Assertion($"start_response: {Quoted(name)} is a hop-by-hop header, which only the server may set");
            isHopByHop = true;
            return name;
        }

        if (_names.Count < NameCacheLimit)
        {
            CApi.Py_IncRef(item);
            _names.Add(item.Address, name);
        }

        return name;
    }

    // RFC 9110, section 5.6.2.
    private static bool IsToken(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);

    private static bool HasControl(string text) => text.AsSpan().ContainsAny(s_controls);

    private static string Quoted(string text) => "'" + string.Concat(text.Take(80).Select(c => c is < ' ' or '\u007f' ? $"\\x{(int)c:x2}" : c.ToString())) + "'";
}
