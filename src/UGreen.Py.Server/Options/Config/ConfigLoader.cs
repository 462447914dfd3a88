namespace UGreen.Py.Server.Options.Config;

/// <summary>
/// Reads configuration files and those that they include, into one list of keys in the order in which they count. <c>include</c> (and <c>ini</c>, <c>yaml</c>,
/// <c>json</c>, <c>config</c> in a file) is expanded in place, <c>inherit</c> after the file that has it, both as in uWSGI.
/// </summary>
internal sealed class ConfigLoader
{
    private readonly Surroundings _surroundings;
    private readonly PlaceholderValues _values;
    private readonly List<(string Key, string Shown)> _open = [];
    private readonly bool _ofEnvironment;
    private ConfigReference? _last;
    private int _files;

    /// <param name="values">Receives what is read.</param>
    /// <param name="surroundings">Start folder and environment.</param>
    /// <param name="ofEnvironment">For variables and the files that they name, which are weaker than other files.</param>
    public ConfigLoader(PlaceholderValues values, Surroundings surroundings, bool ofEnvironment)
    {
        _values = values;
        _surroundings = surroundings;
        _ofEnvironment = ofEnvironment;
    }

    public List<ConfigEntry> Entries { get; } = [];

    public List<string> Warnings { get; } = [];

    /// <summary>Keys that are wrong by themselves; the other keys were read.</summary>
    public List<string> Errors { get; } = [];

    /// <param name="option">Long name of the option.</param>
    /// <param name="text">The file, as the option names it.</param>
    /// <param name="label">What messages begin with when the file cannot be read: where it was named.</param>
    /// <exception cref="ConfigException">A file cannot be read.</exception>
    public void Load(string option, string text, string label)
    {
        _open.Clear();
        var reference = Parse(option, text, label);
        if (reference.Path.Length == 0)
        {
            if (_last is null) throw new ConfigException($"{label}: ':{ConfigWords.Shown(reference.Section ?? "")}' is a section of the file before it, and there is none");
            reference = reference with { Format = _last.Format, Path = _last.Path };
        }

        _last = reference;
        File(reference, label, null);
    }

    /// <exception cref="ConfigException">It is one too many.</exception>
    public void Add(ConfigEntry entry)
    {
        if (Entries.Count >= ConfigLimits.Keys) throw new ConfigException($"{entry.Source}: more than {ConfigLimits.Keys} keys altogether");
        Entries.Add(entry);
        if (_ofEnvironment) _values.AddEnvironment(entry);
        else _values.Add(entry);
    }

    private static ConfigReference Parse(string option, string text, string label)
    {
        var scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme > 0) throw new ConfigException($"{label}: '{ConfigWords.Shown(text)}': configuration is read from files only, not from {ConfigWords.Shown(text[..(scheme + 3)])}");
        return ConfigReference.Parse(option, text)
            ?? throw new ConfigException($"{label}: '{ConfigWords.Shown(text)}': a name that ends in .ini, .yml, .yaml or .json is expected");
    }

    private void File(ConfigReference reference, string label, FilePlaceholders? first)
    {
        var section = reference.Section ?? ConfigReference.DefaultSection;
        var shown = reference.Section is null ? reference.Path : $"{reference.Path}:{reference.Section}";
        string path;
        try
        {
            path = reference.Path == "-" ? "-" : Path.GetFullPath(reference.Path, _surroundings.Folder);
        }
        catch (ArgumentException)
        {
            throw new ConfigException($"{label}: '{ConfigWords.Shown(reference.Path)}' names no file");
        }

        Enter(path, section, shown, label);
        string text;
        try
        {
            text = ConfigText.Read(path);
        }
        catch (ConfigException e)
        {
            // A relative path in a file is easily thought to be relative to the file.
            var hint = first is not null && e.Message == "no such file" && !Path.IsPathRooted(reference.Path) ? $" (a path is relative to the folder where the server was started, {_surroundings.Folder}; %d is the file's own)" : "";
            throw new ConfigException($"{label}: '{ConfigWords.Shown(reference.Path)}' {(e.Message == "no such file" ? "does not exist" : e.Message)}{hint}");
        }

        var name = reference.Path == "-" ? "standard input" : reference.Path;
        var entries = reference.Format switch
        {
            ConfigFormat.Yaml => YamlReader.Read(text, name, section),
            ConfigFormat.Json => JsonConfigReader.Read(text, name, section),
            _ => IniReader.Read(text, name, section, Warnings),
        };
        Keys(entries, reference, new FilePlaceholders(reference.Path, section, _surroundings.Folder, first), first);
        _open.RemoveAt(_open.Count - 1);
    }

    private void Enter(string path, string section, string shown, string label)
    {
        var key = $"{path}\n{section}";
        var same = _open.FindIndex(o => o.Key == key);
        _open.Add((key, ConfigWords.Shown(shown)));
        if (same >= 0) throw new ConfigException($"{label}: files include each other in a circle: {string.Join(" → ", _open.Skip(same).Select(o => o.Shown))}");
        if (_open.Count > ConfigLimits.Depth) throw new ConfigException($"{label}: more than {ConfigLimits.Depth} files within each other: {_open[0].Shown} → … → {_open[^1].Shown}");
        if (++_files > ConfigLimits.Files) throw new ConfigException($"{label}: more than {ConfigLimits.Files} files");
    }

    private void Keys(List<ConfigEntry> entries, ConfigReference file, FilePlaceholders placeholders, FilePlaceholders? first)
    {
        var inherited = new List<ConfigEntry>();
        foreach (var raw in entries)
        {
            var entry = raw.Value is null ? raw : raw with { Value = placeholders.Replace(raw.Value) };
            if (ConfigLogic.Is(entry.Key)) Errors.Add($"{entry.Source}: '{ConfigWords.Shown(entry.Key)}': conditions and loops are not supported in configuration files");
            else if (entry.Key == "inherit") inherited.Add(entry);
            else if (IsFile(entry.Key)) Include(entry, file, first ?? placeholders);
            else Add(entry);
        }

        foreach (var entry in inherited) Include(entry, file, first ?? placeholders);
    }

    /// <summary>Keys that name a further file.</summary>
    public static bool IsFile(string key) => key == "include" || (OptionTable.Find(key) is { } spec && IsFile(spec));

    public static bool IsFile(OptionSpec spec) => spec.Name is "ini" or "yaml" or "json" or "config";

    private void Include(ConfigEntry entry, ConfigReference file, FilePlaceholders first)
    {
        var label = $"{entry.Source}: {entry.Key}";
        _values.Mention(entry);
        var expander = new PlaceholderExpander(_values, _surroundings);
        var text = entry.Value is null ? "" : expander.Expand(entry);
        if (text.Length == 0) throw new ConfigException($"{label}: a file is expected");
        var reference = Parse(entry.Key, text, label);
        File(reference.Path.Length == 0 ? reference with { Format = file.Format, Path = file.Path } : reference, label, first);
    }
}
