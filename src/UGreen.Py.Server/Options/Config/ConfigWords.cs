using System.Text;

namespace UGreen.Py.Server.Options.Config;

/// <summary>Text of files in messages, and the words that switch a flag.</summary>
internal static class ConfigWords
{
    private const int Longest = 80;

    /// <summary>As part of one line: cut when long, control characters as escapes.</summary>
    public static string Shown(string text)
    {
        var cut = text.Length > Longest ? string.Concat(text.AsSpan(0, Longest), "…") : text;
        if (!cut.Any(char.IsControl)) return cut;

        var shown = new StringBuilder();
        foreach (var c in cut)
        {
            if (char.IsControl(c)) shown.Append("\\x").Append(((int)c).ToString("x2", System.Globalization.CultureInfo.InvariantCulture));
            else shown.Append(c);
        }

        return shown.ToString();
    }

    /// <summary>Names for a message, the first ten of them.</summary>
    public static string List(IEnumerable<string> names, int count) => string.Join(", ", names.Take(10).Select(Shown)) + (count > 10 ? ", …" : "");

    public static string MissingKey(string file, string key, HashSet<string> keys)
        => $"{file}: no key '{Shown(key)}' at the top; {(keys.Count == 0 ? "there are none" : $"there are: {List(keys, keys.Count)}")}";

    /// <returns>Null for a word that is neither.</returns>
    public static bool? Flag(string? value) => value?.ToLowerInvariant() switch
    {
        null or "" or "true" or "yes" or "on" or "1" => true,
        "false" or "no" or "off" or "0" => false,
        _ => null,
    };
}
