namespace UGreen.Py.Server.Options.Config;

/// <summary>
/// Decides which keys count. The environment is weakest, then the files, then the command line. Of an option that is given once: the strongest, in files the last.
/// Of one that may be repeated: all, the weakest first, except addresses to listen on and the application, where the stronger replace the weaker.
/// </summary>
internal sealed class ConfigMerger
{
    /// <summary>Options that say where to listen, under all names that uWSGI has for them. A user who gives an address wants this one, not one more.</summary>
    private static readonly HashSet<string> Listening = new(StringComparer.Ordinal)
    {
        "http", "http-socket", "http11-socket", "https", "https-socket", "https2", "http2", "socket", "uwsgi-socket", "stats",
    };

    /// <summary>These exclude each other, and a bare argument is one of them.</summary>
    private static readonly HashSet<string> Application = new(StringComparer.Ordinal) { "module", "wsgi-file" };

    private const string ApplicationClaim = "an application";

    private readonly PlaceholderValues _values;
    private readonly PlaceholderExpander _expander;
    private readonly HashSet<string> _onCommandLine;
    private readonly List<ConfiguredOption> _options = [];
    private readonly List<string> _warnings = [];
    private readonly List<string> _errors = [];

    public ConfigMerger(RewrittenArguments commandLine, PlaceholderValues values, PlaceholderExpander expander)
    {
        _values = values;
        _expander = expander;
        _onCommandLine = [.. commandLine.Given.Keys.Select(OptionTable.Find).OfType<OptionSpec>().Select(Claim)];
        if (commandLine.HasBare) _onCommandLine.Add(ApplicationClaim);
    }

    /// <summary>The option that a key gives; null for a name that is none or that means nothing in a file.</summary>
    public static OptionSpec? Option(string key) => OptionTable.Find(key) is { Name: not ("help" or "version") } spec ? spec : null;

    public static bool Listens(OptionSpec spec) => Listening.Contains(spec.Name);

    public Configuration Merge(IEnumerable<ConfigEntry> environment, IEnumerable<ConfigEntry> files)
    {
        var byEnvironment = environment.Select(Resolved).ToList();
        var byFiles = files.Select(Resolved).ToList();
        var claimed = byFiles.Select(e => Option(e.Key)).OfType<OptionSpec>().Select(Claim).Concat(_onCommandLine).ToHashSet(StringComparer.Ordinal);
        var counting = byEnvironment.Where(e => Counts(e, claimed)).Concat(byFiles.Where(e => Counts(e, _onCommandLine)));
        foreach (var entry in LastOfEach(counting)) Take(entry);
        foreach (var entry in byFiles.Where(e => e.Key is "set-placeholder" or "set-ph")) RefuseOption(entry);

        // After the options, whose placeholders tell which of these are used.
        var others = byEnvironment.Concat(byFiles).Where(e => Option(e.Key) is null).ToList();
        var collected = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var other in others) Collect(collected, other);
        var strict = _onCommandLine.Contains("strict") || _options.Any(o => o.Spec.Name == "strict");
        foreach (var other in others) Judge(other, strict);
        return new Configuration { Options = _options, Other = collected, OtherEntries = others, Warnings = _warnings, Errors = _errors };
    }

    /// <summary>What options that replace each other have in common.</summary>
    private static string Claim(OptionSpec spec) => Application.Contains(spec.Name) ? ApplicationClaim : spec.Name;

    /// <summary><c>set = http=:80</c> is <c>http = :80</c>, as in uWSGI.</summary>
    private static ConfigEntry Resolved(ConfigEntry entry)
        => entry.Key == "set" && PlaceholderValues.Defined(entry) is { } defined && Option(defined.Key) is not null ? defined : entry;

    /// <param name="entry">A key that may be no option.</param>
    /// <param name="stronger">What stronger sources give.</param>
    private static bool Counts(ConfigEntry entry, HashSet<string> stronger)
        => Option(entry.Key) is { } spec && !ConfigLoader.IsFile(spec) && !(stronger.Contains(Claim(spec)) && (!spec.Repeatable || Listens(spec)));

    /// <summary>In uWSGI, too, only <c>set</c> may give options.</summary>
    private void RefuseOption(ConfigEntry entry)
    {
        if (PlaceholderValues.Defined(entry) is { } defined && Option(defined.Key) is not null) _errors.Add($"{entry.Source}: key '{entry.Key}': '{defined.Key}' is the name of an option");
    }

    private static List<ConfigEntry> LastOfEach(IEnumerable<ConfigEntry> entries)
    {
        var all = entries.ToList();
        var last = new Dictionary<OptionSpec, ConfigEntry>();
        foreach (var entry in all) last[Option(entry.Key)!] = entry;
        return [.. all.Where(e => Option(e.Key)!.Repeatable || ReferenceEquals(last[Option(e.Key)!], e))];
    }

    private void Take(ConfigEntry entry)
    {
        var spec = Option(entry.Key)!;
        string? value;
        try
        {
            value = entry.Value is null ? null : _expander.Expand(entry).Trim();
        }
        catch (ConfigException e)
        {
            _errors.Add(e.Message);
            return;
        }

        // The format of log lines has names of its own in %(…).
        if (entry.Value is not null && spec.Name is not ("log-format" or "logformat"))
            _warnings.AddRange(_expander.Unknown.Select(p => $"{entry.Source}: key '{entry.Key}': {ConfigWords.Shown(p)} is not known and stays as it is"));

        if (value is not null && value.Any(c => char.IsControl(c) && c != '\t'))
        {
            _errors.Add($"{entry.Source}: key '{entry.Key}': '{ConfigWords.Shown(value)}': a value is one line without control characters");
        }
        else if (value is null && spec is { TakesValue: true, OptionalValue: null })
        {
            _errors.Add($"{entry.Source}: option --{spec.Name} needs a value");
        }
        else if (!spec.TakesValue)
        {
            Flag(spec, entry, value);
        }
        else
        {
            // "need-app = yes" and "need-app" alone are the same; "1" is a value.
            var alone = spec.OptionalValue is not null && value is not "1" && ConfigWords.Flag(value) == true;
            _options.Add(new ConfiguredOption(spec, entry.Key, alone ? null : value, entry.Source));
        }
    }

    private void Flag(OptionSpec spec, ConfigEntry entry, string? value)
    {
        switch (ConfigWords.Flag(value))
        {
            case true:
                _options.Add(new ConfiguredOption(spec, entry.Key, null, entry.Source));
                break;
            case null:
                var comment = value!.Contains(" ;", StringComparison.Ordinal) || value.Contains(" #", StringComparison.Ordinal) ? "; a comment needs a line of its own" : "";
                _errors.Add($"{entry.Source}: key '{entry.Key}': '{ConfigWords.Shown(value)}' is neither true nor false (yes, no, on, off, 1, 0){comment}");
                break;
        }
    }

    /// <summary>For uwsgi.opt. What cannot be replaced there, nobody needs: it stays as it is written.</summary>
    private void Collect(Dictionary<string, object> collected, ConfigEntry entry)
    {
        object value = true;
        if (entry.Value is not null)
        {
            try
            {
                value = _expander.Expand(entry);
            }
            catch (ConfigException)
            {
                value = entry.Value;
            }
        }

        if (collected.TryGetValue(entry.Key, out var before)) collected[entry.Key] = (List<string>)[.. before as List<string> ?? [AsText(before)], AsText(value)];
        else collected[entry.Key] = value;
    }

    private static string AsText(object value) => value as string ?? "true";

    private void Judge(ConfigEntry entry, bool strict)
    {
        if (Complaint(entry) is not { } complaint) return;
        if (strict) _errors.Add($"{entry.Source}: {complaint} (strict)");
        else _warnings.Add($"{entry.Source}: {complaint}; ignored");
    }

    private string? Complaint(ConfigEntry entry)
    {
        var key = entry.Key;
        if (key is "set" or "set-placeholder" or "set-ph")
            return PlaceholderValues.Defined(entry) is null ? $"key '{key}': '{ConfigWords.Shown(entry.Value ?? "")}': NAME=VALUE is expected" : null;

        if (key.Length > 1 && UwsgiOptions.Has(key)) return $"option '{key}' is one of uWSGI's that this server does not have yet";
        if (_values.Used.Contains(key)) return null;
        var nearest = key.Length is > 1 and < 64 ? NearestName.Find(key.TrimStart('-').Replace('_', '-'), OptionTable.LongNames.Where(n => Option(n) is not null).Append("include").Append("inherit")) : null;
        return $"unknown option '{ConfigWords.Shown(key)}'" + (nearest is null ? "" : $"; did you mean '{nearest}'?");
    }
}
