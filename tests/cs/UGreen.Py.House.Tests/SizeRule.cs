namespace UGreen.Py.House.Tests;

/// <summary>Files stay readable in one sitting, functions on one screen. What is longer is listed with its reason, and leaves the list when it no longer is.</summary>
internal static class SizeRule
{
    public const int FileLines = 400;
    public const int FunctionLines = 70;

    public static IEnumerable<string> Files(IEnumerable<(string Path, int Lines)> files, IReadOnlyDictionary<string, string> allowed)
    {
        var large = files.Where(file => file.Lines > FileLines).ToDictionary(file => file.Path, file => file.Lines);
        return
        [
            .. large.Where(file => !allowed.ContainsKey(file.Key)).Select(file => $"{file.Key} has {file.Value} lines, more than {FileLines}"),
            .. allowed.Keys.Except(large.Keys).Select(path => $"{path} is listed as large and is not; take it from the list"),
        ];
    }

    public static IEnumerable<string> Functions(IEnumerable<CSharpSource> sources, IReadOnlyDictionary<string, string> allowed)
    {
        var large = new Dictionary<string, string>();
        foreach (var source in sources)
        {
            foreach (var (name, line, length) in source.Functions().Where(function => function.Length > FunctionLines))
                large[$"{source.Path} {name}"] = $"{source.Path}:{line + 1}: {name} has {length} lines, more than {FunctionLines}";
        }

        return
        [
            .. large.Where(function => !allowed.ContainsKey(function.Key)).Select(function => function.Value),
            .. allowed.Keys.Except(large.Keys).Select(name => $"{name} is listed as large and is not; take it from the list"),
        ];
    }
}
