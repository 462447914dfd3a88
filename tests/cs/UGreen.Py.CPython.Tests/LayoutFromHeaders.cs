using System.Diagnostics;
using System.Globalization;
using UGreen.Py.CPython.Layout;
using Xunit;

namespace UGreen.Py.CPython.Tests;

/// <summary>What tools/layout/generate reads from the installed headers (python3-dev, gcc).</summary>
internal sealed record LayoutFromHeaders(IReadOnlyDictionary<string, int> Numbers, IReadOnlyList<ThreadStateField> Fields)
{
    public static string Root { get; } = FindRoot();

    public string MinorVersion => $"{Numbers["Major"]}.{Numbers["Minor"]}";

    public static LayoutFromHeaders Read()
    {
        var numbers = new Dictionary<string, int>();
        var fields = new List<ThreadStateField>();
        foreach (var line in Generate("--list").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            if (line[0] == '=') fields.Add(new ThreadStateField(words[0][1..], Number(words[1]), Number(words[2])));
            else numbers.Add(words[0], Number(words[1]));
        }

        return new LayoutFromHeaders(numbers, fields);
    }

    public static string Generate(string argument)
    {
        var start = new ProcessStartInfo(Path.Combine(Root, "tools", "layout", "generate"), [argument]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"tools/layout/generate failed: {errors.GetAwaiter().GetResult()}");
        return output;
    }

    private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "UGreen.Py.sln"))) return folder;
        }

        throw new InvalidOperationException("no UGreen.Py.sln in any folder above the tests");
    }
}
