using System.Text.RegularExpressions;

namespace UGreen.Py.House.Tests;

/// <summary>What holds for every C# file of the product and of its benchmarks.</summary>
public sealed partial class SourceTests
{
    // "path": "reason"
    private static readonly Dictionary<string, string> s_largeFiles = [];

    // "path function": "reason"
    private static readonly Dictionary<string, string> s_largeFunctions = [];

    [Fact]
    public void Every_unsafe_says_why_it_is_sound() => House.Holds("Needs a \"// SAFETY:\" comment, at it or at its type.", SafetyRule.Violations(House.Sources));

    [Fact]
    public void What_C_calls_says_on_which_stack_it_runs()
        => House.Holds("Needs [RunsOn(...)] beside UnmanagedCallersOnly; with StackKinds.Green its first statement begins a HiddenCore.", NativeEntryRule.Violations(House.Sources));

    [Fact]
    public void No_file_is_too_long()
        => House.Holds("Too long.", SizeRule.Files(
            House.Files.Where(file => IsProduct(file) && (Path.GetExtension(file) is ".cs" or ".py" or ".c" || IsCommand(file))).Select(file => (file, House.Read(file).Split('\n').Length - 1)),
            s_largeFiles));

    [Fact]
    public void No_function_is_too_long() => House.Holds("Too long.", SizeRule.Functions(House.Sources, s_largeFunctions));

    [Fact]
    public void Nothing_is_left_for_later()
        => House.Holds("Finish it, or write it down in the documents.", Matches(House.Sources, source => source.Lines, LeftForLater()).Concat(Matches(House.Sources, source => source.CodeLines, NotImplemented())));

    [Fact]
    public void Time_is_passed_in() => House.Holds("Use the clock that is passed in, so that tests own time.", Matches(House.Sources, source => source.CodeLines, OwnTime()));

    [Fact]
    public void No_code_under_another_licence() => House.Holds("Names the GPL.", Matches(House.Sources, source => source.Lines, OtherLicence()));

    [Fact]
    public void A_file_is_named_after_its_first_type()
        => House.Holds("A reader looks for a type in the file of its name.", House.Sources.Where(source => !source.IsGenerated).Select(NameViolation).OfType<string>());

    [Fact]
    public void Event_ids_are_unique_within_an_assembly()
        => House.Holds("Event ids are stable and never used twice.", EventIds(House.Sources).GroupBy(use => (use.Project, use.Id)).Where(uses => uses.Count() > 1).Select(uses => $"{uses.Key.Project}: {uses.Key.Id} in {string.Join(", ", uses.Select(use => use.Where))}"));

    internal static IEnumerable<string> Matches(IEnumerable<CSharpSource> sources, Func<CSharpSource, IReadOnlyList<string>> lines, Regex pattern)
        => from source in sources from line in Enumerable.Range(0, source.Lines.Count) where pattern.IsMatch(lines(source)[line]) select $"{source.Path}:{line + 1}: {source.Lines[line].Trim()}";

    // "Py.Objects.cs" and "Py.cs" both hold Py. A file without a type (assembly attributes, top-level statements) has its own name.
    internal static string? NameViolation(CSharpSource source)
    {
        var stem = Path.GetFileName(source.Path).Split('.')[0];
        return source.Types.Select(type => type.Name).FirstOrDefault() is { } first && first != stem && stem != "Program" ? $"{source.Path}: its first type is {first}" : null;
    }

    internal static IEnumerable<(string Project, string Id, string Where)> EventIds(IEnumerable<CSharpSource> sources)
        => from source in sources from match in EventId().Matches(source.Code) select (source.Project, match.Groups["id"].Value, $"{source.Path}:{source.LineOf(match.Index) + 1}");

    // bench/limit and the like: Python without a suffix.
    private static bool IsCommand(string file) => House.IsOneOf(file, "bench") && Path.GetExtension(file).Length == 0;

    private static bool IsProduct(string file) => House.IsOneOf(file, "src", "python", "bench");

    [GeneratedRegex(@"\b(TODO|FIXME|HACK)\b")]
    internal static partial Regex LeftForLater();

    [GeneratedRegex(@"\bNotImplementedException\b")]
    internal static partial Regex NotImplemented();

    [GeneratedRegex(@"\bThread\.Sleep\b|\bTask\.Delay\b|\bDateTime(Offset)?\.(Utc)?Now\b")]
    internal static partial Regex OwnTime();

    [GeneratedRegex(@"\b[AL]?GPL(v[23])?\b|GNU (Lesser |Affero )?General Public", RegexOptions.IgnoreCase)]
    internal static partial Regex OtherLicence();

    [GeneratedRegex(@"\bLoggerMessage\s*\(\s*(?:EventId\s*=\s*)?(?<id>\d+)\b|\bLoggerMessage\s*\([^)]*?\bEventId\s*=\s*(?<id>\d+)\b|\bnew\s+EventId\s*\(\s*(?<id>\d+)\b")]
    private static partial Regex EventId();
}
