using UGreen.Py.Gateway;

namespace UGreen.Py.Server.Options;

/// <summary>Reads <c>--add-header "Name: value"</c>.</summary>
internal static class AddedHeader
{
    // The connection's own (RFC 9110, section 7.6.1), and what frames the message: these are the server's to say.
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "connection", "content-length", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "trailers", "transfer-encoding", "upgrade",
    };

    /// <returns>Null after an error.</returns>
    public static HeaderField? Parse(string text, List<string> errors)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var name = colon < 0 ? "" : text[..colon];
        var value = text[(colon + 1)..].Trim(' ', '\t');
        string? problem = null;
        if (colon < 0) problem = "expected \"Name: value\"";
        else if (name.Length == 0 || !name.All(IsToken)) problem = $"'{name}' is not a header name";
        else if (Reserved.Contains(name)) problem = $"{name} is a header that only the server may set";
        // Latin-1 is what the wire has. A line break would be the start of another header.
        else if (value.Any(c => c > '\u00ff' || (c != '\t' && char.IsControl(c)))) problem = "the value holds a character that no header may have";
        if (problem is null) return new HeaderField(name, value);
        errors.Add($"--add-header '{string.Concat(text.Select(c => char.IsControl(c) ? '?' : c))}': {problem}");
        return null;
    }

    // RFC 9110, section 5.6.2.
    private static bool IsToken(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);
}
