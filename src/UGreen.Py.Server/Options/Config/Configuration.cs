using System.Text.RegularExpressions;

namespace UGreen.Py.Server.Options.Config;

/// <summary>What files and environment add to the command line, as arguments to be put in front of it.</summary>
internal sealed partial record Configuration
{
    public static Configuration None { get; } = new();

    public IReadOnlyList<ConfiguredOption> Options { get; init; } = [];

    /// <summary>Keys that are no options of this server, for <c>uwsgi.opt</c>, where applications look for settings of their own: string, true or list of strings.</summary>
    public IReadOnlyDictionary<string, object> Other { get; init; } = new Dictionary<string, object>();

    /// <summary>The same, with their places.</summary>
    public IReadOnlyList<ConfigEntry> OtherEntries { get; init; } = [];

    /// <summary>One line each.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];

    /// <summary>One line each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Environment variables that begin like an option and are none.</summary>
    public IReadOnlyList<string> UnknownVariables { get; init; } = [];

    public IEnumerable<string> Arguments => Options.Select(o => o.Argument);

    /// <summary>Says where a wrong value was read; an error about the command line stays as it is.</summary>
    public string Locate(string error)
    {
        var place = Place(error);
        // Validators quote values, and a file's may be long.
        return place.Length <= 2 * MaxQuoted ? place : string.Concat(place.AsSpan(0, MaxQuoted), " … ", place.AsSpan(place.Length - MaxQuoted));
    }

    private const int MaxQuoted = 400;

    private string Place(string error)
    {
        var leading = Leading().Match(error);
        var named = Mentioned().Matches(error).Select(m => OptionTable.Find(m.Groups[1].Value)).OfType<OptionSpec>().Distinct().ToList();
        if (!leading.Success)
        {
            var places = Options.Where(o => named.Contains(o.Spec) && o.Value is not null && error.Contains(o.Value, StringComparison.Ordinal)).ToList();
            return places.Count == 0 ? error : $"{error} ({string.Join(", ", places.Select(o => $"{o.Name} is in {o.Source}"))})";
        }

        var own = Options.Where(o => o.Spec == OptionTable.Find(leading.Groups[1].Value)).ToList();
        var guilty = own.FirstOrDefault(o => o.Value is { Length: > 0 } value && error.Contains(value, StringComparison.Ordinal)) ?? own.FirstOrDefault(o => o.Value is null or "" || !o.Spec.Repeatable);
        if (guilty is null) return error;
        var comment = guilty.Value is { } text && (text.Contains(" ;", StringComparison.Ordinal) || text.Contains(" #", StringComparison.Ordinal)) ? "; a comment needs a line of its own" : "";
        return $"{guilty.Source}: {error}{comment}";
    }

    [GeneratedRegex("^(?:option )?--([A-Za-z0-9_-]+)")]
    private static partial Regex Leading();

    [GeneratedRegex("--([A-Za-z0-9_-]+)")]
    private static partial Regex Mentioned();
}
