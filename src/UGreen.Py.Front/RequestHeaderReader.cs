using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace UGreen.Py.Front;

/// <summary>
/// Reads Kestrel's request headers without an allocation and notes what Kestrel accepts but an application must never see.
/// One object per connection; its buffer is reused.
/// </summary>
internal sealed class RequestHeaderReader
{
    private readonly ILogger _logger;
    private KeyValuePair<string, StringValues>[] _headers = new KeyValuePair<string, StringValues>[16];
    private int _count;
    private string? _transferEncoding;
    private bool _hasLength;
    private string? _broken;

    // RFC 9110, section 5.6.2, without the '_'.
    private static readonly SearchValues<char> s_plainName = SearchValues.Create("!#$%&'*+-.^`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    // RFC 9110, section 5.5: of the control characters only the tab.
    private static readonly SearchValues<char> s_control = SearchValues.Create([.. Enumerable.Range(0, 32).Where(c => c != '\t').Append(127).Select(c => (char)c)]);

    public RequestHeaderReader(ILogger logger) => _logger = logger;

    /// <summary>The headers of one request, a repeated name once with all its values; valid until <see cref="Clear"/>.</summary>
    public ReadOnlySpan<KeyValuePair<string, StringValues>> Read(IHeaderDictionary headers)
    {
        _count = headers.Count;
        if (_headers.Length < _count) _headers = new KeyValuePair<string, StringValues>[_count * 2];
        // CopyTo instead of foreach: through the interface an enumerator would be boxed for each request.
        headers.CopyTo(_headers, 0);
        return _headers.AsSpan(0, _count);
    }

    /// <summary>Whether the application may see the header; notes those that say how long the body is.</summary>
    public bool Accept(string name, StringValues values)
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i].AsSpan().ContainsAny(s_control)) _broken = "a control character in a header";
        }

        if (name.AsSpan().ContainsAnyExcept(s_plainName))
        {
            if (name.Any(c => c != '_' && !s_plainName.Contains(c)))
            {
                _broken = "a header name that is not a token";
                return false;
            }

            // "X_Real_IP" and "X-Real-IP" would both become HTTP_X_REAL_IP, and a proxy that strips one lets the other through.
            FrontLog.HeaderDropped(_logger, name);
            return false;
        }

        if (Is(name, "Transfer-Encoding"))
        {
            // The coding is taken off before anybody reads the body, so it is not announced any more (RFC 9112, section 7.1.3): who saw it would look for chunks.
            _transferEncoding = values.ToString();
            return false;
        }

        // Kestrel renames the length to X-Content-Length when there is an encoding as well.
        if (Is(name, "Content-Length") || Is(name, "X-Content-Length")) _hasLength = true;
        else if (values.Count > 1 && Is(name, "Content-Type")) _broken = "more than one Content-Type";
        return true;
    }

    /// <summary>
    /// Why the request must be refused, or null. Each of those about the length is read differently by some proxy, which is how requests are smuggled past one: a length beside
    /// an encoding (Kestrel prefers the encoding), an encoding from an HTTP/1.0 client, and codings under "chunked" that nobody here undoes.
    /// </summary>
    public string? Refusal(string protocol)
    {
        if (_broken is not null) return _broken;
        if (_transferEncoding is null) return null;
        if (_hasLength) return "Content-Length and Transfer-Encoding together";
        if (protocol != "HTTP/1.1") return "Transfer-Encoding in a request of another protocol than HTTP/1.1";
        return _transferEncoding.Equals("chunked", StringComparison.OrdinalIgnoreCase) ? null : "Transfer-Encoding other than chunked";
    }

    /// <summary>Lets go of the strings of the last request.</summary>
    public void Clear()
    {
        _headers.AsSpan(0, _count).Clear();
        _count = 0;
        _transferEncoding = null;
        _hasLength = false;
        _broken = null;
    }

    /// <summary>The length first: it tells nearly all names apart without looking at a character.</summary>
    private static bool Is(string name, string expected) => name.Length == expected.Length && name.Equals(expected, StringComparison.OrdinalIgnoreCase);
}
