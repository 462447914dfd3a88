using System.Reflection;
using System.Text.RegularExpressions;

namespace UGreen.Py.Switching.Tests;

/// <summary>
/// A listing (*.s) as plain instructions: comments gone, blanks uniform, the names of constants after a register or as immediates replaced by their values.
/// Names after rip and labels stay, as the disassembly of the test names those too.
/// </summary>
internal static partial class Listing
{
    private static readonly Type[] s_constants = [typeof(CoreRecordLayout), typeof(SwitchFrameLayout), typeof(X64OverflowHandler), typeof(X64ForkHandler), typeof(X64SignalRelay), typeof(WaitFrameLayout)];

    public static List<string> Read(string resource)
    {
        List<string> lines = [];
        foreach (string raw in GreenLibrary.Resource(resource).Split('\n'))
        {
            string line = raw.Split('#')[0].Trim();
            if (line.Length > 0) lines.Add(Normalise(line));
        }

        return lines;
    }

    /// <summary>One spelling for a listing's line and a disassembled one.</summary>
    public static string Normalise(string line)
    {
        string text = line.Replace("qword ptr ", "", StringComparison.Ordinal)
            .Replace(", ", ",", StringComparison.Ordinal).Replace(" + ", "+", StringComparison.Ordinal);
        text = Constant().Replace(text, match => match.Groups[1].Value + Value(match.Groups[2].Value));
        return text.Replace("+0]", "]", StringComparison.Ordinal);
    }

    /// <summary>The value of a constant of the layouts, or null.</summary>
    public static int? TryValue(string name)
    {
        foreach (Type type in s_constants)
        {
            FieldInfo? field = type.GetField(name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic);
            if (field is { IsLiteral: true }) return Convert.ToInt32(field.GetRawConstantValue());
        }

        return null;
    }

    private static string Value(string name) => TryValue(name)?.ToString() ?? name;

    // A capitalised name after a comma, or after a plus sign that does not belong to rip.
    [GeneratedRegex(@"(,|(?<!rip)\+)([A-Z]\w+)")]
    private static partial Regex Constant();
}
