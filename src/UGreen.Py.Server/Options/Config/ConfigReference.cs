namespace UGreen.Py.Server.Options.Config;

/// <summary>A configuration file as a user names it: <c>FILE</c>, <c>FILE:SECTION</c>, or <c>:SECTION</c> of the file at hand.</summary>
/// <param name="Format">What it is written in.</param>
/// <param name="Path">Empty: the file at hand. "-": standard input.</param>
/// <param name="Section">Null: <c>uwsgi</c>.</param>
internal sealed record ConfigReference(ConfigFormat Format, string Path, string? Section)
{
    public const string DefaultSection = "uwsgi";

    /// <summary>The option that names files of this kind, for messages and for <c>uwsgi.opt</c>.</summary>
    public static string OptionName(ConfigFormat format) => format switch
    {
        ConfigFormat.Yaml => "yaml",
        ConfigFormat.Json => "json",
        _ => "ini",
    };

    /// <param name="option">Long name of the option or key: it fixes the format, except "config", "include" and "inherit", which go by the name's end.</param>
    /// <param name="text"><c>FILE</c>, <c>FILE:SECTION</c> or <c>:SECTION</c>.</param>
    /// <returns>Null when the name does not say what the file is written in.</returns>
    public static ConfigReference? Parse(string option, string text)
    {
        var colon = text.LastIndexOf(':');
        // A slash behind the colon is a folder's name with a colon in it.
        var (path, section) = colon < 0 || text.AsSpan(colon).Contains('/') ? (text, null) : (text[..colon], text[(colon + 1)..]);
        if (section is "") section = null;

        ConfigFormat? format = option switch
        {
            "ini" => ConfigFormat.Ini,
            "yaml" or "yml" => ConfigFormat.Yaml,
            "json" or "js" => ConfigFormat.Json,
            _ => path.Length == 0 ? ConfigFormat.Ini : BySuffix(path),
        };
        return format is null ? null : new ConfigReference(format.Value, path, section);
    }

    /// <summary>The format of a bare argument that is a configuration file and no application; null for an application.</summary>
    public static ConfigFormat? OfBare(string argument)
    {
        if (BySuffix(argument) is { } format) return format;
        // With a colon only for ini: pkg.json:app is an application.
        var colon = argument.LastIndexOf(':');
        return colon > 0 && BySuffix(argument[..colon]) == ConfigFormat.Ini ? ConfigFormat.Ini : null;
    }

    /// <summary>A bare argument for which <see cref="OfBare"/> has an answer, as the option that it stands for.</summary>
    public static (OptionSpec Spec, string Name, string Value) AsOption(string argument)
    {
        var name = OptionName(OfBare(argument) ?? ConfigFormat.Ini);
        return (OptionTable.Find(name)!, name, argument);
    }

    /// <summary>A bare argument that uWSGI would read as configuration, in a format that this server does not read.</summary>
    public static bool IsXml(string argument) => argument.EndsWith(".xml", StringComparison.Ordinal);

    private static ConfigFormat? BySuffix(string path)
    {
        if (path.EndsWith(".ini", StringComparison.Ordinal)) return ConfigFormat.Ini;
        if (path.EndsWith(".yml", StringComparison.Ordinal) || path.EndsWith(".yaml", StringComparison.Ordinal)) return ConfigFormat.Yaml;
        return path.EndsWith(".json", StringComparison.Ordinal) || path.EndsWith(".js", StringComparison.Ordinal) ? ConfigFormat.Json : null;
    }
}
