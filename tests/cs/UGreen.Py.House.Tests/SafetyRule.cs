using System.Text.RegularExpressions;

namespace UGreen.Py.House.Tests;

/// <summary>
/// Every <c>unsafe</c> says why it is sound, with a comment that begins with "// SAFETY:".
/// <list type="bullet">
/// <item>Where a type says it, that holds for all its members; the parts of a partial type share what one of them says.</item>
/// <item>Where an unsafe type does not, each member that touches memory says it: above itself or inside.</item>
/// <item>An unsafe member or block says it on its line, in the comments and attributes right above, or within the four lines above.</item>
/// </list>
/// </summary>
internal static partial class SafetyRule
{
    private const string Mark = "// SAFETY:";
    private const int LinesAbove = 4;

    public static IEnumerable<string> Violations(IReadOnlyList<CSharpSource> sources)
    {
        var explained = sources.SelectMany(source => source.Types.Where(type => IsExplained(source, type.Line)).Select(type => (source.Project, type.Name))).ToHashSet();
        foreach (var source in sources)
        {
            var typeLines = source.Types.Select(type => type.Line).ToHashSet();
            for (var line = 0; line < source.CodeLines.Count; line++)
            {
                if (!Unsafe().IsMatch(source.CodeLines[line]) || IsExplained(source, line)) continue;
                if (TypesAround(source, line).Any(type => explained.Contains((source.Project, type)))) continue;
                foreach (var at in typeLines.Contains(line) ? SilentMembers(source) : [line]) yield return $"{source.Path}:{at + 1}: {source.Lines[at].Trim()}";
            }
        }
    }

    // Types declared at or above the line; a file holds one concept, so the brace structure need not be followed.
    private static IEnumerable<string> TypesAround(CSharpSource source, int line) => source.Types.Where(type => type.Line <= line).Select(type => type.Name);

    // The first line in each member that touches memory without a word about it; the type's own line if nothing in the file touches memory or speaks of it.
    private static List<int> SilentMembers(CSharpSource source)
    {
        var members = source.Functions().ToList();
        var silent = new Dictionary<int, int>();
        var touches = false;
        for (var line = 0; line < source.CodeLines.Count; line++)
        {
            if (!TouchesMemory().IsMatch(source.CodeLines[line])) continue;
            touches = true;
            var member = members.Find(member => member.Line <= line && line < member.Line + member.Length);
            var (first, last) = member.Length > 0 ? (member.Line, member.Line + member.Length - 1) : (line, line);
            if (!IsExplained(source, first) && !source.Lines.Skip(first).Take(last - first + 1).Any(text => text.Contains(Mark, StringComparison.Ordinal))) silent.TryAdd(first, line);
        }

        return touches || source.Text.Contains(Mark, StringComparison.Ordinal) ? [.. silent.Values] : [source.Types.First().Line];
    }

    private static bool IsExplained(CSharpSource source, int line)
    {
        for (var above = line; above >= 0; above--)
        {
            if (source.Lines[above].Contains(Mark, StringComparison.Ordinal)) return true;
            if (above < line - LinesAbove && !CommentOrAttribute().IsMatch(source.Lines[above])) return false;
        }

        return false;
    }

    [GeneratedRegex(@"\bunsafe\b")]
    private static partial Regex Unsafe();

    // Follows a pointer, makes one, or takes an address.
    [GeneratedRegex(@"->|\bfixed\s*\(|\*\s*\(\s*\w+\s*\*|\(\s*\w+\s*\*+\s*\)\s*[\w(]|(?<=[=(,]\s*)&\w")]
    private static partial Regex TouchesMemory();

    [GeneratedRegex(@"^\s*(//|\[|$)")]
    private static partial Regex CommentOrAttribute();
}
