using UGreen.Py.Front.Static;

namespace UGreen.Py.Server.Options;

/// <summary>Checks the options of the group "Static files". Relative paths are those of --chdir, like the application's.</summary>
internal sealed class StaticValidator(ParsedArguments arguments, Surroundings surroundings, List<string> errors)
{
    private readonly string _folder = Path.GetFullPath(arguments.Chdir is { Length: > 0 } folder ? folder : ".", surroundings.Folder);

    /// <returns>Null when no static files are asked for.</returns>
    public StaticFileSettings? Settings()
    {
        var maps = new List<StaticMap>();
        foreach (var text in arguments.StaticMap)
        {
            if (UrlPrefix.Split("static-map", text, "DIR_OR_FILE, as in /static=/srv/site/static", errors) is not { } map) continue;
            if (Existing("static-map", text, map.Value) is { } found) maps.Add(found with { Prefix = map.Path });
        }

        var checks = new List<string>();
        foreach (var text in arguments.CheckStatic)
        {
            if (Existing("check-static", text, text) is not { } found) continue;
            if (found.IsDirectory) checks.Add(found.Path);
            else errors.Add($"--check-static '{text}': not a directory");
        }

        foreach (var name in arguments.StaticIndex)
        {
            if (name.Contains('/', StringComparison.Ordinal) || name.StartsWith('.')) errors.Add($"--static-index '{name}': expected the name of a file, as in index.html");
        }

        if (maps.Count + checks.Count == 0)
        {
            if (arguments.StaticIndex.Any() && errors.Count == 0) errors.Add("--static-index means nothing without --static-map or --check-static");
            return null;
        }

        return new StaticFileSettings { Maps = maps, CheckDirectories = checks, IndexNames = [.. arguments.StaticIndex] };
    }

    private StaticMap? Existing(string option, string text, string path)
    {
        var full = Path.GetFullPath(path, _folder);
        if (surroundings.IsDirectory(full)) return new StaticMap("", full, IsDirectory: true);
        if (surroundings.Exists(full)) return new StaticMap("", full, IsDirectory: false);
        errors.Add($"--{option} '{text}': {full} {surroundings.WhyMissing(full)}");
        return null;
    }
}
