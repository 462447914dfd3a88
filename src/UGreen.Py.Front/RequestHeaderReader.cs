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
        if (name.Contains('_', StringComparison.Ordinal))
        {
            // "X_Real_IP" and "X-Real-IP" would both become HTTP_X_REAL_IP, and a proxy that strips one lets the other through.
            FrontLog.HeaderDropped(_logger, name);
            return false;
        }

        // Kestrel renames the length to X-Content-Length when there is an encoding as well.
        if (Is(name, "Transfer-Encoding")) _transferEncoding = values.ToString();
        else if (Is(name, "Content-Length") || Is(name, "X-Content-Length")) _hasLength = true;
        return true;
    }

    /// <summary>
    /// Why the request must be refused, or null. Each of these is read differently by some proxy, which is how requests are smuggled past one: a length beside
    /// an encoding (Kestrel prefers the encoding), an encoding from an HTTP/1.0 client, and codings under "chunked" that nobody here undoes.
    /// </summary>
    public string? Refusal(string protocol)
    {
        if (_transferEncoding is null) return null;
        if (_hasLength) return "Content-Length and Transfer-Encoding together";
        if (protocol == "HTTP/1.0") return "Transfer-Encoding in an HTTP/1.0 request";
        return _transferEncoding.Equals("chunked", StringComparison.OrdinalIgnoreCase) ? null : "Transfer-Encoding other than chunked";
    }

    /// <summary>Lets go of the strings of the last request.</summary>
    public void Clear()
    {
        _headers.AsSpan(0, _count).Clear();
        _count = 0;
        _transferEncoding = null;
        _hasLength = false;
    }

    /// <summary>The length first: it tells nearly all names apart without looking at a character.</summary>
    private static bool Is(string name, string expected) => name.Length == expected.Length && name.Equals(expected, StringComparison.OrdinalIgnoreCase);
}
