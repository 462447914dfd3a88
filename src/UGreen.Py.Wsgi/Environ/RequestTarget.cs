namespace UGreen.Py.Wsgi.Environ;

/// <summary>Splits a request target (RFC 9112, section 3.2) into path and query.</summary>
internal static class RequestTarget
{
    /// <summary>
    /// Path (still percent-encoded) and query (without '?') of an origin-form target, an absolute-form one (the authority is dropped) or "*" (path "*").
    /// </summary>
    public static void Split(string target, out ReadOnlySpan<char> path, out ReadOnlySpan<char> query)
    {
        var rest = target.AsSpan();
        if (rest.Length > 0 && rest[0] != '/' && rest.IndexOf("://") is var scheme and > 0)
        {
            rest = rest[(scheme + 3)..];
            var slash = rest.IndexOfAny('/', '?');
            rest = slash < 0 ? "/" : rest[slash..];
        }

        var mark = rest.IndexOf('?');
        path = mark < 0 ? rest : rest[..mark];
        query = mark < 0 ? [] : rest[(mark + 1)..];
        if (path.IsEmpty) path = "/";
    }
}
