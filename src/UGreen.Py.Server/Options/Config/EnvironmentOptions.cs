namespace UGreen.Py.Server.Options.Config;

/// <summary>Options that come as environment variables: <c>UWSGI_HTTP=:8080</c> is <c>--http :8080</c>.</summary>
internal static class EnvironmentOptions
{
    private const string Prefix = "UWSGI_";

    /// <summary>In the order of their names. Empty variables count as not set, as container tools leave them.</summary>
    /// <param name="variables">The whole environment.</param>
    /// <param name="unknown">Receives variables that name no option; other programs have variables of that kind too, so they are no mistake.</param>
    public static List<ConfigEntry> Read(IEnumerable<KeyValuePair<string, string>> variables, List<string> unknown)
    {
        var entries = new List<ConfigEntry>();
        foreach (var (variable, value) in variables.Where(v => v.Key.StartsWith(Prefix, StringComparison.Ordinal) && v.Value.Length > 0).OrderBy(v => v.Key, StringComparer.Ordinal))
        {
            var name = variable[Prefix.Length..].ToLowerInvariant().Replace('_', '-');
            if (ConfigMerger.Option(name) is null) unknown.Add(variable);
            else entries.Add(new ConfigEntry(name, value, new ConfigSource(variable, 0)) { Literal = true });
        }

        return entries;
    }
}
