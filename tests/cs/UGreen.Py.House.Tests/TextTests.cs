using System.Text.RegularExpressions;

namespace UGreen.Py.House.Tests;

/// <summary>What holds for every text file of the repository, whatever its language.</summary>
public sealed partial class TextTests
{
    private static readonly HashSet<string> s_binary = [".png", ".jpg", ".ico", ".gz", ".zip", ".pfx", ".woff2"];

    [Fact]
    public void Relative_links_lead_somewhere()
        => House.Holds("Dead link.", from file in House.Files where file.EndsWith(".md", StringComparison.Ordinal) from link in DeadLinks(file, House.Read(file)) select $"{file}: {link}");

    [Fact]
    public void No_file_knows_the_machine_that_it_was_written_on()
        => House.Holds("Absolute path of one machine, or the address of a package registry.", from file in House.Files where IsText(file) from found in MachineTraces(House.Read(file)) select $"{file}: {found}");

    internal static IEnumerable<string> DeadLinks(string file, string markdown)
    {
        var folder = Path.GetDirectoryName(Path.Combine(House.Root, file))!;
        var prose = CodeSpan().Replace(markdown, "");
        return from match in Link().Matches(prose).Concat(Reference().Matches(prose))
               let target = match.Groups["target"].Value
               where !target.StartsWith('#') && !Elsewhere().IsMatch(target)
               let path = Path.Combine(folder, Uri.UnescapeDataString(target.Split('#')[0]))
               where !File.Exists(path) && !Directory.Exists(path)
               select target;
    }

    internal static IEnumerable<string> MachineTraces(string text) => Machine().Matches(text).Select(match => match.Value);

    private static bool IsText(string file) => !s_binary.Contains(Path.GetExtension(file));

    [GeneratedRegex(@"```.*?```|`[^`\n]*`", RegexOptions.Singleline)]
    private static partial Regex CodeSpan();

    [GeneratedRegex(@"\]\(\s*<?(?<target>[^)\s>]+)>?[^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^\s*\[[^\]^]+\]:\s*(?<target>\S+)", RegexOptions.Multiline)]
    private static partial Regex Reference();

    [GeneratedRegex(@"^[a-z][a-z0-9+.-]*:", RegexOptions.IgnoreCase)]
    private static partial Regex Elsewhere();

    // Written so that this file does not match itself.
    [GeneratedRegex(@"(?<![\w.\-}\])])/(?:work|root)/[\w.]*|\b(?:api\.)?nuget[.]org\b|\bpypi[.]org\b|\bpythonhosted[.]org\b|\b(?:deb|security)[.]debian[.]org\b|\bregistry[.]npmjs\b|\bproxy[.]golang\b|\bnexus[.\-:/]\w+|\bartifactory\b", RegexOptions.IgnoreCase)]
    private static partial Regex Machine();
}
