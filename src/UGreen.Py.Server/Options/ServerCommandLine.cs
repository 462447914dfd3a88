using CommandLine;
using UGreen.Py.Server.Options.Config;

namespace UGreen.Py.Server.Options;

/// <summary>Rewrites, parses and checks the command line, with what configuration files and the environment put in front of it.</summary>
internal static class ServerCommandLine
{
    public static CommandLineResult Parse(IReadOnlyList<string> args, Surroundings surroundings)
    {
        var commandLine = ArgumentRewriter.Rewrite(args);
        // Who asks for help shall not need a good file for it.
        var configuration = commandLine.Given.ContainsKey("help") || commandLine.Given.ContainsKey("version") ? Configuration.None : ConfigSources.Read(commandLine, surroundings);
        if (configuration.Errors.Count > 0) return new CommandLineResult.Refused([.. commandLine.Errors, .. configuration.Errors]) { Warnings = configuration.Warnings };

        var rewritten = configuration.Options.Count == 0 ? commandLine : ArgumentRewriter.Rewrite([.. configuration.Arguments, .. args]);
        var result = Parse(rewritten, Everything(rewritten.Given, configuration), surroundings);
        return result switch
        {
            CommandLineResult.Refused refused => new CommandLineResult.Refused([.. refused.Errors.Select(configuration.Locate)]) { Warnings = configuration.Warnings },
            CommandLineResult.Run run => new CommandLineResult.Run(run.Options with
            {
                Configuration = configuration,
                ShownConfiguration = rewritten.Arguments.Contains("--show-config") ? ConfigDisplay.Build(commandLine, configuration, run.Options) : null,
            }),
            _ => result,
        };
    }

    /// <summary>Parses a command line that a master has completed already: no configuration file and no environment variable counts any more.</summary>
    /// <param name="args">The master's, see <see cref="Complete"/>.</param>
    /// <param name="other">Keys of configuration files that are no options.</param>
    /// <param name="surroundings">Of this process.</param>
    public static CommandLineResult ParseCompleted(IReadOnlyList<string> args, IReadOnlyDictionary<string, object> other, Surroundings surroundings)
    {
        var rewritten = ArgumentRewriter.Rewrite(args);
        return Parse(rewritten, Everything(rewritten.Given, new Configuration { Other = other }), surroundings);
    }

    /// <summary>The command line with all that files and the environment put in front of it.</summary>
    public static IReadOnlyList<string> Complete(IReadOnlyList<string> args, Configuration configuration) => [.. configuration.Arguments, .. args];

    /// <summary>Applications look in <c>uwsgi.opt</c> for settings of their own, too.</summary>
    private static IReadOnlyDictionary<string, object> Everything(IReadOnlyDictionary<string, object> given, Configuration configuration)
    {
        if (configuration.Other.Count == 0) return given;
        var all = new Dictionary<string, object>(configuration.Other, StringComparer.Ordinal);
        foreach (var (name, value) in given) all[name] = value;
        return all;
    }

    private static CommandLineResult Parse(RewrittenArguments rewritten, IReadOnlyDictionary<string, object> given, Surroundings surroundings)
    {
        using var parser = new Parser(settings =>
        {
            settings.AutoHelp = false;
            settings.AutoVersion = false;
            settings.EnableDashDash = true;
            settings.HelpWriter = null;
        });
        return parser.ParseArguments<ParsedArguments>(rewritten.Arguments).MapResult(
            parsed => rewritten.Errors.Count > 0 ? new CommandLineResult.Refused(rewritten.Errors) : Check(parsed, given, surroundings),
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
            // Once each, and set only where that changes something: at the second use of a property by reflection the runtime makes code for it, and there are a hundred.
            var value = property.GetValue(parsed);
            if (value is string text && ArgumentRewriter.Restore(text) is var restored && restored != text) property.SetValue(parsed, restored);
            if (value is IEnumerable<string> texts && texts.Any(t => ArgumentRewriter.Restore(t) != t)) property.SetValue(parsed, texts.Select(ArgumentRewriter.Restore).ToList());
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
