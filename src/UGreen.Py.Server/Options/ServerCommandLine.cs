using CommandLine;

namespace UGreen.Py.Server.Options;

/// <summary>Rewrites, parses and checks the command line.</summary>
internal static class ServerCommandLine
{
    public static CommandLineResult Parse(IReadOnlyList<string> args, Surroundings surroundings)
    {
        var rewritten = ArgumentRewriter.Rewrite(args);
        using var parser = new Parser(settings =>
        {
            settings.AutoHelp = false;
            settings.AutoVersion = false;
            settings.EnableDashDash = true;
            settings.HelpWriter = null;
        });
        return parser.ParseArguments<ParsedArguments>(rewritten.Arguments).MapResult(
            parsed => rewritten.Errors.Count > 0 ? new CommandLineResult.Refused(rewritten.Errors) : Check(parsed, rewritten.Given, surroundings),
            errors => new CommandLineResult.Refused([.. rewritten.Errors, .. errors.Select(Explain).Distinct()]));
    }

    private static CommandLineResult Check(ParsedArguments parsed, IReadOnlyDictionary<string, object> given, Surroundings surroundings)
    {
        Restore(parsed);
        if (parsed.Help) return new CommandLineResult.ShowHelp();
        if (parsed.Version) return new CommandLineResult.ShowVersion();

        var (options, errors) = OptionValidator.Validate(parsed, given, surroundings);
        return options is not null ? new CommandLineResult.Run(options) : new CommandLineResult.Refused(errors);
    }

    private static void Restore(ParsedArguments parsed)
    {
        foreach (var property in typeof(ParsedArguments).GetProperties().Where(p => p.IsDefined(typeof(OptionAttribute), inherit: false)))
        {
            if (property.GetValue(parsed) is string text) property.SetValue(parsed, ArgumentRewriter.Restore(text));
            else if (property.GetValue(parsed) is IEnumerable<string> texts) property.SetValue(parsed, texts.Select(ArgumentRewriter.Restore).ToList());
        }
    }

    private static string Explain(Error error) => error switch
    {
        UnknownOptionError unknown => Unknown(unknown.Token),
        RepeatedOptionError repeated => $"option --{repeated.NameInfo.LongName} is given more than once",
        TokenError token => $"'{token.Token}' is not understood",
        NamedError named => $"option --{named.NameInfo.LongName} is not understood",
        _ => $"the command line is not understood ({error.Tag})",
    };

    private static string Unknown(string token)
    {
        var name = token.Split('=')[0];
        var shown = name.Length == 1 ? $"-{name}" : $"--{name}";
        var nearest = name.Length == 1 ? null : NearestName.Find(name, OptionTable.LongNames);
        if (UwsgiOptions.Has(name)) return $"option {shown} is one of uWSGI's that this server does not have yet; see --help";
        return nearest is null ? $"unknown option {shown}; see --help" : $"unknown option {shown}; did you mean --{nearest}?";
    }
}
