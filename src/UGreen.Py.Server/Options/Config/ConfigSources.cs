namespace UGreen.Py.Server.Options.Config;

/// <summary>From a command line and an environment to the <see cref="Configuration"/> that they name.</summary>
internal static class ConfigSources
{
    public static Configuration Read(RewrittenArguments commandLine, Surroundings surroundings)
    {
        var unknown = new List<string>();
        var variables = EnvironmentOptions.Read(surroundings.Variables(), unknown);
        if (commandLine.ConfigFiles.Count == 0 && variables.Count == 0) return unknown.Count == 0 ? Configuration.None : new Configuration { UnknownVariables = unknown };

        var values = new PlaceholderValues(commandLine.Given);
        var weak = new ConfigLoader(values, surroundings, ofEnvironment: true);
        var strong = new ConfigLoader(values, surroundings, ofEnvironment: false);
        var fatal = new List<string>();
        foreach (var variable in variables) Try(fatal, () => Variable(weak, variable));
        foreach (var (option, text, label) in commandLine.ConfigFiles) Try(fatal, () => strong.Load(option, text, label));

        List<string> warnings = [.. weak.Warnings, .. strong.Warnings];
        List<string> errors = [.. fatal, .. weak.Errors, .. strong.Errors];
        // Keys of files that were not read are missing: what else is wrong cannot be told.
        if (fatal.Count > 0) return new Configuration { Errors = errors, Warnings = warnings };

        var merged = new ConfigMerger(commandLine, values, new PlaceholderExpander(values, surroundings)).Merge(weak.Entries, strong.Entries);
        return merged with { Errors = [.. errors, .. merged.Errors], Warnings = [.. warnings, .. merged.Warnings], UnknownVariables = unknown };
    }

    private static void Variable(ConfigLoader loader, ConfigEntry variable)
    {
        if (ConfigLoader.IsFile(variable.Key)) loader.Load(variable.Key, variable.Value!, variable.Source.File);
        else loader.Add(variable);
    }

    private static void Try(List<string> errors, Action read)
    {
        try
        {
            read();
        }
        catch (ConfigException e)
        {
            errors.Add(e.Message);
        }
    }
}
