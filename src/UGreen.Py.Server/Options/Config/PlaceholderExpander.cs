using System.Text;

namespace UGreen.Py.Server.Options.Config;

/// <summary>
/// Replaces <c>%(name)</c>, <c>%(a + 3)</c>, <c>$(VARIABLE)</c>, <c>$(VARIABLE-preset)</c>, <c>$(VARIABLE:-preset)</c>, <c>@(file)</c> and <c>%%</c>. What is
/// unknown stays as it is. The content of a file is not looked into.
/// </summary>
internal sealed class PlaceholderExpander
{
    private readonly PlaceholderValues _values;
    private readonly Surroundings _surroundings;
    private readonly Dictionary<ConfigEntry, string> _done = new(ReferenceEqualityComparer.Instance);
    private readonly List<ConfigEntry> _open = [];
    private readonly List<string> _unknown = [];
    private int _depth;

    public PlaceholderExpander(PlaceholderValues values, Surroundings surroundings)
    {
        _values = values;
        _surroundings = surroundings;
    }

    /// <summary>Placeholders of the last <see cref="Expand"/> that were left as they are.</summary>
    public IReadOnlyList<string> Unknown => _unknown;

    /// <exception cref="ConfigException">Placeholders that lead back to themselves, a file that cannot be read, a value that grows too long.</exception>
    public string Expand(ConfigEntry entry)
    {
        _unknown.Clear();
        _open.Clear();
        _depth = 0;
        try
        {
            return Value(entry);
        }
        catch (ConfigException e)
        {
            throw new ConfigException($"{entry.Source}: key '{ConfigWords.Shown(entry.Key)}': {e.Message}");
        }
    }

    private string Value(ConfigEntry entry)
    {
        if (entry.Value is null) return "true";
        if (entry.Literal) return entry.Value;
        if (_done.TryGetValue(entry, out var done)) return done;

        var same = _open.IndexOf(entry);
        if (same >= 0) throw new ConfigException($"placeholders in a circle: {string.Join(" → ", _open.Skip(same).Append(entry).Select(e => $"%({ConfigWords.Shown(e.Key)})"))}");
        _open.Add(entry);
        var text = Text(entry.Value);
        _open.RemoveAt(_open.Count - 1);
        // With unknown placeholders it is worked out again for the next one who asks, who wants to warn of them too.
        if (_unknown.Count == 0) _done[entry] = text;
        return text;
    }

    private string Text(string text)
    {
        if (text.Length > ConfigLimits.Value) throw new ConfigException($"the value is longer than {ConfigLimits.Value} characters");
        if (text.AsSpan().IndexOfAny('%', '$', '@') < 0) return text;
        if (++_depth > ConfigLimits.Nesting) throw new ConfigException($"more than {ConfigLimits.Nesting} placeholders within each other");

        var ends = Parentheses(text);
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var kind = text[i];
            if (kind == '%' && i + 1 < text.Length && text[i + 1] == '%')
            {
                result.Append('%');
                i++;
            }
            else if (kind is '%' or '$' or '@' && i + 1 < text.Length && ends[i + 1] > 0)
            {
                var inner = text[(i + 2)..ends[i + 1]];
                result.Append(Replace(kind, inner) ?? Leave(text[i..(ends[i + 1] + 1)]));
                i = ends[i + 1];
            }
            else
            {
                result.Append(kind);
            }

            if (result.Length > ConfigLimits.Value) throw new ConfigException($"with its placeholders replaced, the value is longer than {ConfigLimits.Value} characters");
        }

        _depth--;
        return result.ToString();
    }

    /// <summary>For each '(' that has one, where its ')' is. One pass: to look for each on its own would be quadratic in a row of them.</summary>
    private static int[] Parentheses(string text)
    {
        var ends = new int[text.Length];
        var open = new Stack<int>();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '(') open.Push(i);
            else if (text[i] == ')' && open.TryPop(out var begin)) ends[begin] = i;
        }

        return ends;
    }

    private string Leave(string placeholder)
    {
        if (_unknown.Count < 10) _unknown.Add(placeholder);
        return placeholder.Replace("%%", "%", StringComparison.Ordinal);
    }

    private string? Replace(char kind, string inner) => kind switch
    {
        '%' => inner.Contains(' ', StringComparison.Ordinal) ? PlaceholderArithmetic.Evaluate(inner, Named) : Named(inner),
        '$' => Variable(inner),
        _ => Content(Text(inner)),
    };

    private string? Named(string name) => _values.Find(name) is { } entry ? Value(entry) : null;

    private string? Variable(string inner)
    {
        var dash = inner.IndexOf('-', StringComparison.Ordinal);
        if (dash <= 0) return _surroundings.Environment(inner);

        var orEmpty = inner[dash - 1] == ':';
        var name = inner[..(orEmpty ? dash - 1 : dash)];
        // A preset needs a name that a variable can have: anything else in such brackets was not meant for us.
        if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')) return null;
        var found = _surroundings.Environment(name);
        return found is null || (orEmpty && found.Length == 0) ? Text(inner[(dash + 1)..]) : found;
    }

    private string Content(string path)
    {
        try
        {
            return ConfigText.Read(Path.GetFullPath(path, _surroundings.Folder)).TrimEnd('\r', '\n');
        }
        catch (ConfigException e)
        {
            throw new ConfigException($"@({ConfigWords.Shown(path)}) {e.Message}");
        }
        catch (ArgumentException)
        {
            throw new ConfigException($"@({ConfigWords.Shown(path)}) names no file");
        }
    }
}
