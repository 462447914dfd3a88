namespace UGreen.Py.Server.Options.Config;

/// <summary>
/// The ini dialect of uWSGI: keys repeat, a key may stand alone, comments are whole lines that begin with ';' or '#' (so a value may hold both), nothing is quoted
/// and no line is continued.
/// </summary>
internal static class IniReader
{
    /// <param name="text">The whole file.</param>
    /// <param name="file">For messages.</param>
    /// <param name="section">Name of the section that holds the options.</param>
    /// <param name="warnings">Receives lines that are passed over.</param>
    /// <exception cref="ConfigException">A line is malformed, or the section is missing.</exception>
    public static List<ConfigEntry> Read(string text, string file, string section, List<string> warnings)
    {
        var entries = new List<ConfigEntry>();
        var sections = new HashSet<string>(StringComparer.Ordinal);
        string? current = null;
        var number = 0;
        foreach (var raw in text.AsSpan().EnumerateLines())
        {
            number++;
            var line = raw.Trim();
            if (line.IsEmpty || line[0] is ';' or '#') continue;
            var source = new ConfigSource(file, number);
            if (line[0] == '[')
            {
                current = Section(line, source);
                sections.Add(current);
            }
            else if (current is null)
            {
                warnings.Add($"{source}: '{ConfigWords.Shown(line.ToString())}' stands before the first [section]; ignored");
                if (warnings.Count > ConfigLimits.Keys) throw new ConfigException($"{file}: no [section] in the first {ConfigLimits.Keys} lines");
            }
            else if (current == section)
            {
                entries.Add(Entry(line, source));
                if (entries.Count > ConfigLimits.Keys) throw new ConfigException($"{file}: more than {ConfigLimits.Keys} keys");
            }
        }

        if (!sections.Contains(section)) throw new ConfigException($"{file}: no section [{ConfigWords.Shown(section)}]; {Existing(sections)}");
        return entries;
    }

    private static string Existing(HashSet<string> sections)
        => sections.Count == 0 ? "the file has no sections" : $"the file has {ConfigWords.List(sections.Select(s => $"[{s}]"), sections.Count)}";

    private static string Section(ReadOnlySpan<char> line, ConfigSource source)
    {
        var end = line.IndexOf(']');
        if (end < 0) throw new ConfigException($"{source}: '{ConfigWords.Shown(line.ToString())}': ']' is missing");
        var rest = line[(end + 1)..].TrimStart();
        if (!rest.IsEmpty && rest[0] is not (';' or '#')) throw new ConfigException($"{source}: '{ConfigWords.Shown(line.ToString())}': text behind ']'");
        return line[1..end].Trim().ToString();
    }

    private static ConfigEntry Entry(ReadOnlySpan<char> line, ConfigSource source)
    {
        var equals = line.IndexOf('=');
        if (equals == 0) throw new ConfigException($"{source}: '{ConfigWords.Shown(line.ToString())}': a key is missing before '='");
        return equals < 0
            ? new ConfigEntry(line.ToString(), null, source)
            : new ConfigEntry(line[..equals].TrimEnd().ToString(), line[(equals + 1)..].TrimStart().ToString(), source);
    }
}
