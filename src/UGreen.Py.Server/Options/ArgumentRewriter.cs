using UGreen.Py.Server.Options.Config;

namespace UGreen.Py.Server.Options;

/// <summary>
/// Brings the command line into the form that CommandLineParser can express: it knows one long name per option, takes a value that begins with '-' for an
/// option, and lets a repeatable option swallow the bare argument behind it. Unknown options pass unchanged, so that the parser reports them.
/// </summary>
internal static class ArgumentRewriter
{
    /// <summary>Joins the values of a repeatable option. ASCII's unit separator: it occurs in no path and no address.</summary>
    public const char ListSeparator = '\u001f';

    // Stand for a blank and a line break, at which the library does not understand "--name=value".
    private const char Blank = '\u001d';
    private const char LineBreak = '\u001e';

    public static RewrittenArguments Rewrite(IReadOnlyList<string> args)
    {
        var result = new List<string>(args.Count);
        var lists = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var given = new Dictionary<string, object>(StringComparer.Ordinal);
        var bare = new List<string>();
        var errors = new List<string>();
        var files = new List<(string Option, string Text, string Label)>();

        for (var i = 0; i < args.Count; i++)
        {
            var argument = args[i];
            if (argument == "--")
            {
                bare.AddRange(args.Skip(i + 1));
                break;
            }

            var (spec, name, value) = Recognise(argument);
            var isBareFile = spec is null && ConfigReference.OfBare(argument) is not null;
            if (isBareFile) (spec, name, value) = ConfigReference.AsOption(argument);
            if (spec is null)
            {
                if (ConfigReference.IsXml(argument)) errors.Add($"'{argument}': XML configuration files are not supported; ini, YAML and JSON are");
                (argument.StartsWith('-') ? result : bare).Add(argument);
                continue;
            }

            if (spec.OptionalValue is not null && value is null)
            {
                Note(given, name, null);
                Emit(result, lists, spec, spec.OptionalValue);
                continue;
            }

            if (spec.TakesValue && value is null && i + 1 < args.Count && !IsOption(args[i + 1])) value = args[++i];
            if (spec.TakesValue != (value is not null))
            {
                errors.Add($"option --{spec.Name} {(spec.TakesValue ? "needs a value" : "takes no value")}");
                continue;
            }

            if (value is "")
            {
                errors.Add($"--{spec.Name}: the value is empty");
                continue;
            }

            if (value?.AsSpan().IndexOfAny(ListSeparator, Blank, LineBreak) >= 0)
            {
                errors.Add($"--{spec.Name}: the value holds one of the control characters U+001D to U+001F");
                continue;
            }

            Note(given, name, value);
            Emit(result, lists, spec, value);
            if (ConfigLoader.IsFile(spec)) files.Add((name, value!, isBareFile ? "configuration file" : $"--{name}"));
        }

        foreach (var (name, values) in lists) result.Add($"--{name}={string.Join(ListSeparator, values)}");
        if (bare.Count > 0)
        {
            result.Add("--");
            result.AddRange(bare);
        }

        return new RewrittenArguments(result, given, errors) { HasBare = bare.Count > 0, ConfigFiles = files };
    }

    /// <summary>The value as the user wrote it, from what the parser made of an argument of ours.</summary>
    public static string Restore(string value) => value.Replace(Blank, ' ').Replace(LineBreak, '\n');

    private static void Emit(List<string> result, Dictionary<string, List<string>> lists, OptionSpec spec, string? value)
    {
        value = value?.Replace(' ', Blank).Replace('\n', LineBreak);
        if (value is null || !spec.Repeatable)
        {
            result.Add(value is null ? $"--{spec.Name}" : $"--{spec.Name}={value}");
            return;
        }

        if (!lists.TryGetValue(spec.Name, out var values)) lists[spec.Name] = values = [];
        values.Add(value);
    }

    /// <summary>Adds to what <c>uwsgi.opt</c> will hold: true for an option without a value, a string, and a list of strings from the second on.</summary>
    public static void Note(Dictionary<string, object> given, string name, string? value)
    {
        if (value is null) given[name] = true;
        else if (given.TryGetValue(name, out var before) && before is not true) given[name] = (List<string>)[.. before as List<string> ?? [(string)before], value];
        else given[name] = value;
    }

    /// <summary>--name, --name=value, -n and -nvalue of a known option; otherwise no spec.</summary>
    private static (OptionSpec? Spec, string Name, string? Value) Recognise(string argument)
    {
        if (argument.StartsWith("--", StringComparison.Ordinal))
        {
            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? argument[2..] : argument[2..equals];
            return (OptionTable.Find(name), name, equals < 0 ? null : argument[(equals + 1)..]);
        }

        if (argument.Length < 2 || argument[0] != '-') return default;
        var spec = OptionTable.Find(argument[1]);
        if (spec is null || (argument.Length > 2 && !spec.TakesValue)) return default;
        return (spec, spec.Name, argument.Length > 2 ? argument[2..] : null);
    }

    private static bool IsOption(string argument) => argument == "--" || Recognise(argument).Spec is not null;
}
