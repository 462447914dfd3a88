using System.Text.RegularExpressions;

namespace UGreen.Py.House.Tests;

/// <summary>One C# file, as text and as <see cref="Code"/>: the same text with comments and the contents of literals blanked, so that words and braces in it are code.</summary>
internal sealed partial class CSharpSource
{
    public CSharpSource(string path, string text)
    {
        Path = path;
        Text = text;
        Code = CSharpMask.Blank(text);
        Lines = text.Split('\n');
        CodeLines = Code.Split('\n');
    }

    /// <summary>Relative to the repository.</summary>
    public string Path { get; }

    public string Text { get; }

    /// <summary>Same length and line breaks as <see cref="Text"/>.</summary>
    public string Code { get; }

    public IReadOnlyList<string> Lines { get; }

    public IReadOnlyList<string> CodeLines { get; }

    public bool IsGenerated => Path.EndsWith(".g.cs", StringComparison.Ordinal);

    /// <summary>"UGreen.Py.Hub" of src/UGreen.Py.Hub/….</summary>
    public string Project => Path.Split('/')[1];

    /// <summary>Names of the types that the file declares, in order, each with the number of its line (from 0).</summary>
    public IEnumerable<(string Name, int Line)> Types => TypeDeclaration().Matches(Code).Select(match => (match.Groups["name"].Value, LineOf(match.Index)));

    /// <summary>The bodies of methods, accessors, constructors and local data left out: first line (from 0), number of lines, and the head's last identifier.</summary>
    public IEnumerable<(string Name, int Line, int Length)> Functions()
    {
        var open = new Stack<(bool IsType, int Start, string Head)>();
        var head = 0;
        for (var i = 0; i < Code.Length; i++)
        {
            switch (Code[i])
            {
                case '{':
                    open.Push((IsTypeHead(Code[head..i]), head, Code[head..i]));
                    head = i + 1;
                    break;
                case '}' when open.TryPop(out var block):
                    if (!block.IsType && IsFunctionHead(block.Head) && open.TryPeek(out var outer) && outer.IsType)
                    {
                        var first = LineOf(block.Start + (block.Head.Length - block.Head.TrimStart().Length));
                        yield return (NameIn(block.Head), first, LineOf(i) - first + 1);
                    }

                    head = i + 1;
                    break;
                case ';':
                    head = i + 1;
                    break;
            }
        }
    }

    public int LineOf(int index) => Code.AsSpan(0, index).Count('\n');

    private static bool IsTypeHead(string head) => TypeDeclaration().IsMatch(head + "{") || Namespace().IsMatch(head);

    // "int[] table = new[] {" at type level is data, "int Size => x switch {" and "int Size {" are code.
    private static bool IsFunctionHead(string head) => !Assignment().IsMatch(head);

    private static string NameIn(string head)
    {
        var name = BeforeParameters().Match(head);
        return name.Success ? name.Groups["name"].Value : Words().Matches(head).LastOrDefault()?.Value ?? "?";
    }

    [GeneratedRegex(@"(?<![\w.@])(?:class|struct|interface|enum|record(?:\s+(?:class|struct))?)\s+(?<name>[A-Za-z_]\w*)(?=\s*(?:<|\(|:|\{|;|where\b))")]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Words();

    [GeneratedRegex(@"\bnamespace\b")]
    private static partial Regex Namespace();

    [GeneratedRegex(@"(?<![=!<>])=(?![=>])(?![^(]*\))")]
    private static partial Regex Assignment();

    [GeneratedRegex(@"(?<name>\w+)\s*(?:<[^>]*>)?\s*\(")]
    private static partial Regex BeforeParameters();
}
