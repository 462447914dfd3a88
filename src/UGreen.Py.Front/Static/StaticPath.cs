using System.Buffers;
using System.Text;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Static;

/// <summary>From a request to a path that may name a file.</summary>
internal static class StaticPath
{
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // A backslash is no separator here, but it is in what others make of a path; control characters, with NUL among them, are in no name that is meant for the web.
    private static readonly SearchValues<char> s_refused = SearchValues.Create([.. Enumerable.Range(0, 32).Append(127).Append('\\').Select(c => (char)c)]);

    /// <summary>The path still as sent, for a first comparison without an allocation; null when it has to be decoded before anything can be said of it.</summary>
    public static string? Plain(GatewayExchange exchange)
    {
        if (exchange.PathInfo is { } info) return Ascii.IsValid(info) ? info : null;
        var target = exchange.Target;
        return target.StartsWith('/') && !target.Contains('%', StringComparison.Ordinal) && Ascii.IsValid(target) ? target : null;
    }

    /// <summary>The decoded path. Null when its bytes are no UTF-8, as the names of files are.</summary>
    public static string? Decode(GatewayExchange exchange)
    {
        if (exchange.PathInfo is { } info) return FromLatin1(info);
        RequestTarget.Split(exchange.Target, out var path, out _);
        if (!path.Contains('%') && Ascii.IsValid(path)) return path.ToString();
        var decoded = new char[path.Length];
        return FromLatin1(decoded.AsSpan(0, PercentDecoder.Decode(path, decoded)));
    }

    /// <summary>Whether <paramref name="path"/>, which a query may follow, begins with the segments of <paramref name="prefix"/>.</summary>
    public static bool IsBelow(ReadOnlySpan<char> path, string prefix)
        => path.StartsWith(prefix, StringComparison.Ordinal) && (path.Length == prefix.Length || path[prefix.Length] is '/' or '?');

    /// <summary>
    /// Whether what is left of a path behind its prefix may name a file: "", or segments of which none is empty (the last may be: a directory) and none begins with
    /// a dot. That leaves out "." and "..", and also what a dot hides: .git, .env, .htpasswd.
    /// </summary>
    public static bool MayNameFile(ReadOnlySpan<char> rest)
    {
        if (rest.IsEmpty) return true;
        if (rest[0] != '/' || rest.ContainsAny(s_refused)) return false;
        return !rest.Contains("//", StringComparison.Ordinal) && !rest.Contains("/.", StringComparison.Ordinal);
    }

    private static string? FromLatin1(ReadOnlySpan<char> text)
    {
        if (Ascii.IsValid(text)) return text.ToString();
        var bytes = new byte[text.Length];
        Encoding.Latin1.GetBytes(text, bytes);
        try
        {
            return s_strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
