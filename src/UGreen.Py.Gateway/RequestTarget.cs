namespace UGreen.Py.Gateway;

/// <summary>Splits a request target (RFC 9112, section 3.2) into path and query.</summary>
public static class RequestTarget
{
    /// <summary>
    /// Path (still percent-encoded) and query (without '?') of an origin-form target, an absolute-form one (the authority is dropped) or "*" (path "*").
    /// </summary>
    /// <param name="target">As sent.</param>
    /// <param name="path">At least "/".</param>
    /// <param name="query">Empty when there is none.</param>
    public static void Split(string target, out ReadOnlySpan<char> path, out ReadOnlySpan<char> query)
    {
        ArgumentNullException.ThrowIfNull(target);
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

    /// <summary>Host and port of an absolute-form target, without a user's name; empty for the other forms.</summary>
    /// <param name="target">As sent.</param>
    public static ReadOnlySpan<char> Authority(string target)
    {
        ArgumentNullException.ThrowIfNull(target);
        var rest = target.AsSpan();
        if (rest.Length == 0 || rest[0] == '/' || rest.IndexOf("://") is not (var scheme and > 0)) return [];
        rest = rest[(scheme + 3)..];
        var end = rest.IndexOfAny('/', '?');
        if (end >= 0) rest = rest[..end];
        return rest[(rest.LastIndexOf('@') + 1)..];
    }
}
