namespace UGreen.Py.Server.Options.Config;

/// <summary>
/// What <c>%(name)</c> stands for: the value on the command line, else the first in the files, else the environment's. Any key counts, also one that is no option,
/// and the names that <c>set</c>, <c>set-placeholder</c> and <c>set-ph</c> define.
/// </summary>
internal sealed class PlaceholderValues
{
    private readonly Dictionary<string, ConfigEntry> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ConfigEntry> _environment = new(StringComparer.Ordinal);

    /// <summary>Names that stand in a placeholder anywhere, also in one that is not needed this time, as a preset.</summary>
    public HashSet<string> Used { get; } = new(StringComparer.Ordinal);

    /// <param name="given">The options of the command line, as <c>uwsgi.opt</c> has them.</param>
    public PlaceholderValues(IReadOnlyDictionary<string, object> given)
    {
        var source = new ConfigSource("command line", 0);
        foreach (var (name, value) in given)
        {
            foreach (var text in value as IEnumerable<string> ?? [value as string ?? "true"]) Add(new ConfigEntry(name, text, source) { Literal = true });
        }
    }

    public void Add(ConfigEntry entry) => Add(_values, entry);

    /// <summary>Of an environment variable, or of a file that one names.</summary>
    public void AddEnvironment(ConfigEntry entry) => Add(_environment, entry);

    public ConfigEntry? Find(string name)
    {
        var key = Canonical(name);
        return _values.GetValueOrDefault(key) ?? _environment.GetValueOrDefault(key);
    }

    /// <summary>Aliases of an option are one name.</summary>
    public static string Canonical(string name) => OptionTable.Find(name)?.Name ?? name;

    /// <summary>The name and the value that <c>set = name=value</c> and its kin define; null for other keys.</summary>
    public static ConfigEntry? Defined(ConfigEntry entry)
    {
        if (entry.Key is not ("set" or "set-placeholder" or "set-ph")) return null;
        var equals = entry.Value?.IndexOf('=', StringComparison.Ordinal) ?? -1;
        return equals > 0 ? entry with { Key = entry.Value![..equals].Trim(), Value = entry.Value[(equals + 1)..].Trim() } : null;
    }

    private void Add(Dictionary<string, ConfigEntry> values, ConfigEntry entry)
    {
        Mention(entry);
        values.TryAdd(Canonical(entry.Key), entry);
        if (Defined(entry) is { } defined) values.TryAdd(Canonical(defined.Key), defined);
    }

    /// <summary>Notes the names that the value's placeholders use.</summary>
    public void Mention(ConfigEntry entry)
    {
        var value = entry.Literal ? default : entry.Value.AsSpan();
        for (var begin = value.IndexOf("%("); begin >= 0; begin = value.IndexOf("%("))
        {
            value = value[(begin + 2)..];
            var end = value.IndexOf(')');
            if (end < 0) return;
            foreach (var word in value[..end].Split(' '))
            {
                if (Used.Count < ConfigLimits.Keys) Used.Add(Canonical(value[word].ToString()));
            }
        }
    }
}
