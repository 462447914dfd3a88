using System.Buffers;

namespace UGreen.Py.Front;

/// <summary>
/// What no request target may hold although Kestrel lets it pass: control characters, which no two servers treat alike, and '#', which clients keep to themselves (RFC
/// 9112, section 3.2). Quotes, brackets and the like are let through, because browsers send them. A '%' without two hexadecimal digits stays as it is.
/// </summary>
internal static class RequestTargetRule
{
    private static readonly SearchValues<char> s_forbidden = SearchValues.Create([.. Enumerable.Range(0, 33).Select(c => (char)c), '\u007f', '#']);

    public static bool IsBroken(string target) => target.AsSpan().ContainsAny(s_forbidden);
}
