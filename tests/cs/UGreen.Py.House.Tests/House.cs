namespace UGreen.Py.House.Tests;

/// <summary>The working tree that the rules are about: what git would track, without asking git (a source archive has none).</summary>
internal static class House
{
    private static readonly HashSet<string> s_leftOut = ["bin", "obj", "artifacts", "TestResults", "__pycache__", ".git", ".vs", ".vscode", ".idea", ".pytest_cache"];

    /// <summary>The folder of UGreen.Py.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Every file, relative to <see cref="Root"/>, with forward slashes, sorted.</summary>
    public static IReadOnlyList<string> Files { get; } = [.. Walk(Root).Select(Relative).Order(StringComparer.Ordinal)];

    /// <summary>The C# files of the product, the generated ones included, and of its benchmarks.</summary>
    public static IReadOnlyList<CSharpSource> Sources { get; } =
        [.. Files.Where(file => IsOneOf(file, "src", "bench") && file.EndsWith(".cs", StringComparison.Ordinal)).Select(file => new CSharpSource(file, Read(file)))];

    public static bool IsOneOf(string file, params string[] folders) => folders.Any(folder => file.StartsWith(folder + "/", StringComparison.Ordinal));

    public static IEnumerable<string> Projects(string folder)
        => Files.Where(file => IsOneOf(file, folder) && file.EndsWith(".csproj", StringComparison.Ordinal));

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    /// <summary>Fails with the list of violations, one a line, if there are any.</summary>
    public static void Holds(string rule, IEnumerable<string> violations)
    {
        var list = violations.ToList();
        Assert.True(list.Count == 0, $"{rule}\n  {string.Join("\n  ", list)}");
    }

    private static string Relative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            // In a work tree of its own .git is a file.
            if (!s_leftOut.Contains(Path.GetFileName(file))) yield return file;
        }

        foreach (var child in Directory.EnumerateDirectories(folder))
        {
            if (s_leftOut.Contains(Path.GetFileName(child)) || new DirectoryInfo(child).LinkTarget is not null) continue;
            foreach (var file in Walk(child)) yield return file;
        }
    }

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "UGreen.Py.sln"))) return folder;
        }

        throw new InvalidOperationException("no UGreen.Py.sln in any folder above the tests");
    }
}
