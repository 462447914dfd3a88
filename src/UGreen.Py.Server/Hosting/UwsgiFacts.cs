using UGreen.Py.Server.Options.Config;

namespace UGreen.Py.Server.Hosting;

/// <summary>What applications and agents look up in the uwsgi module about how the server was started.</summary>
internal static class UwsgiFacts
{
    private static readonly string[] s_files = ["ini", "yaml", "yml", "json", "js", "config"];

    /// <summary>
    /// For <c>uwsgi.opt</c>: the options as they were given, and what is always so here. Agents (Sentry's, Datadog's) ask for both and warn, or do not start, without: Python threads
    /// run, and each worker loads the application itself.
    /// </summary>
    public static IReadOnlyDictionary<string, object> Options(IReadOnlyDictionary<string, object> given)
        => new Dictionary<string, object>(given, StringComparer.Ordinal) { ["enable-threads"] = true, ["lazy-apps"] = true };

    /// <summary>For <c>uwsgi.magic_table</c>: each letter that may stand behind a percent sign in a configuration file, and what it stands for; those of files are about the first one.</summary>
    /// <param name="given">The options.</param>
    /// <param name="folder">Where the server was started.</param>
    public static IReadOnlyDictionary<string, string> Magic(IReadOnlyDictionary<string, object> given, string folder)
    {
        var table = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var file = s_files.Select(name => First(given.GetValueOrDefault(name))).OfType<string>().FirstOrDefault();
        var placeholders = file is null ? null : FilePlaceholders.OfFile(file, folder);
        foreach (var letter in FilePlaceholders.Letters)
        {
            if ((placeholders is null ? ProcessFacts.Of(letter, folder) : placeholders.Of(letter)) is { } text) table.Add(letter.ToString(), text);
        }

        return table;
    }

    private static string? First(object? value) => value as string ?? (value as IEnumerable<string>)?.FirstOrDefault();
}
