namespace UGreen.Py.Server.Options;

/// <summary>The path in <c>--mount</c> and <c>--static-map</c>: the beginning of a decoded request path, up to a '/' or its end.</summary>
internal static class UrlPrefix
{
    /// <summary>Splits <c>/path=value</c>.</summary>
    /// <param name="option">Name for messages.</param>
    /// <param name="text">The option's value.</param>
    /// <param name="what">What stands behind '=', for messages.</param>
    /// <param name="errors">Gets what is wrong with it.</param>
    /// <returns>Null after an error; otherwise the path without a slash at its end (the root is ""), and the value, which is not empty.</returns>
    public static (string Path, string Value)? Split(string option, string text, string what, List<string> errors)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var path = equals < 0 ? text : text[..equals];
        var problem = equals < 0 || equals == text.Length - 1 ? $"expected /PATH={what}" : Problem(path);
        if (problem is null) return (path[^1] == '/' ? path[..^1] : path, text[(equals + 1)..]);
        errors.Add($"--{option} '{text}': {problem}");
        return null;
    }

    private static string? Problem(string path)
    {
        if (path.Length == 0 || path[0] != '/') return $"the path '{path}' must begin with '/'";
        if (path.Contains("//", StringComparison.Ordinal)) return $"the path '{path}' holds an empty segment";
        if (path.Split('/').Any(segment => segment is "." or "..")) return $"the path '{path}' holds a dot segment";
        // Paths are compared after decoding, so an escape in one would never match anything.
        if (path.Contains('%', StringComparison.Ordinal)) return $"the path '{path}' must be written decoded, without '%'";
        return path.Any(c => char.IsControl(c) || c is '?' or '#' or '\\' or '\ufffd') ? $"the path '{path}' holds a character that no path of a URL has" : null;
    }
}
