using System.Text.RegularExpressions;

namespace UGreen.Py.House.Tests;

/// <summary>
/// C# that C calls says on which stacks it runs (<c>RunsOn</c>), and where one of them is a green thread's, it begins by hiding the core: otherwise a hub call from within would switch away over
/// managed frames. There is no other way in: delegates are not made into function pointers.
/// </summary>
internal static partial class NativeEntryRule
{
    public static IEnumerable<string> Violations(IReadOnlyList<CSharpSource> sources) => sources.SelectMany(Violations);

    private static IEnumerable<string> Violations(CSharpSource source)
    {
        for (var line = 0; line < source.CodeLines.Count; line++)
        {
            var where = $"{source.Path}:{line + 1}: {source.Lines[line].Trim()}";
            if (source.CodeLines[line].Contains("GetFunctionPointerForDelegate", StringComparison.Ordinal)) yield return where;
            if (!Entry().IsMatch(source.CodeLines[line])) continue;
            var stacks = Stacks().Match(source.CodeLines[line]);
            if (!stacks.Success || (Green().IsMatch(stacks.Value) && !HidesFirst(source, line))) yield return where;
        }
    }

    // Attribute, head, brace, and then that.
    private static bool HidesFirst(CSharpSource source, int line) => source.CodeLines.Skip(line + 3).FirstOrDefault()?.Contains("= HiddenCore.Begin(", StringComparison.Ordinal) == true;

    [GeneratedRegex(@"\[[^\]]*\bUnmanagedCallersOnly\b")]
    private static partial Regex Entry();

    [GeneratedRegex(@"\bRunsOn\([^)]*\)")]
    private static partial Regex Stacks();

    [GeneratedRegex(@"\bStackKinds\.Green\b")]
    private static partial Regex Green();
}
