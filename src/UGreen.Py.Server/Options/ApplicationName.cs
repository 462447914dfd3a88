namespace UGreen.Py.Server.Options;

/// <summary>A module or a file, and the callable in it.</summary>
/// <param name="Module">Dotted name; null when it is a file.</param>
/// <param name="File">Path; null when it is a module.</param>
/// <param name="Callable"><c>name()</c> is a factory.</param>
internal readonly record struct ApplicationName(string? Module, string? File, string Callable)
{
    /// <summary>
    /// <c>pkg.mod</c>, <c>pkg.mod:app</c>, <c>dir/file.py</c> or <c>file.py:app</c>. A name that ends in <c>.wsgi</c> is a file, as in uWSGI; with a callable it is
    /// Django's <c>mysite.wsgi:application</c>, a module.
    /// </summary>
    public static ApplicationName Parse(string source, string text, string callable, List<string> errors)
    {
        var colon = text.LastIndexOf(':');
        var path = colon < 0 ? text : text[..colon];
        var isFile = path.Contains('/', StringComparison.Ordinal)
            || path.EndsWith(".py", StringComparison.Ordinal)
            || (colon < 0 && path.EndsWith(".wsgi", StringComparison.Ordinal));
        if (!isFile) return ParseModule(source, text, callable, errors);
        return new(null, path, colon < 0 ? callable : CallableName(source, text, text[(colon + 1)..], errors));
    }

    /// <summary><c>pkg.mod</c> or <c>pkg.mod:app</c>.</summary>
    public static ApplicationName ParseModule(string source, string text, string callable, List<string> errors)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var module = colon < 0 ? text : text[..colon];
        if (module.Contains('/', StringComparison.Ordinal) || module.EndsWith(".py", StringComparison.Ordinal))
            errors.Add($"{source} '{text}': a dotted module name is expected; for a file use --wsgi-file");
        else if (!module.Split('.').All(IsIdentifier))
            errors.Add($"{source} '{text}': '{module}' is not a module name");
        return new(module, null, colon < 0 ? callable : CallableName(source, text, text[(colon + 1)..], errors));
    }

    private static string CallableName(string source, string text, string name, List<string> errors)
    {
        var plain = name.EndsWith("()", StringComparison.Ordinal) ? name[..^2] : name;
        if (!plain.Split('.').All(IsIdentifier)) errors.Add($"{source} '{text}': '{name}' is not the name of a callable");
        return name;
    }

    private static bool IsIdentifier(string name)
        => name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsLetterOrDigit(c) || c == '_');
}
