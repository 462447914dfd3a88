using System.Text;

namespace UGreen.Py.Server.Options.Config;

/// <summary>The configuration in effect, as the ini file that would give it (<c>--show-config</c>).</summary>
internal static class ConfigDisplay
{
    /// <param name="commandLine">What the command line alone gives.</param>
    /// <param name="configuration">What files and the environment give.</param>
    /// <param name="options">The outcome: it knows which application a bare argument was.</param>
    public static string Build(RewrittenArguments commandLine, Configuration configuration, ServerOptions options)
    {
        var text = new StringBuilder("[uwsgi]\n");
        var place = "";
        foreach (var option in configuration.Options.Where(o => o.Spec.Name != "show-config"))
        {
            Place(text, ref place, option.Source.ToString());
            Key(text, option.Name, option.Value);
        }

        Place(text, ref place, "command line");
        foreach (var (name, value) in commandLine.Given.Where(g => OptionTable.Find(g.Key) is { } spec && spec.Name != "show-config" && !ConfigLoader.IsFile(spec)))
        {
            foreach (var single in value as IEnumerable<string?> ?? [value as string]) Key(text, name, single);
        }

        if (commandLine.HasBare && options.Applications is [{ Point: "" } bare, ..])
        {
            Key(text, bare.Module is null ? "wsgi-file" : "module", bare.Module is null ? bare.File : bare.ToString());
            if (bare.Module is null) Key(text, "callable", bare.Callable);
        }

        foreach (var other in configuration.OtherEntries)
        {
            Place(text, ref place, $"{other.Source}, no option of this server");
            text.Append("; ");
            Key(text, ConfigWords.Shown(other.Key), other.Value is null ? null : ConfigWords.Shown(other.Value), raw: true);
        }

        return text.ToString();
    }

    private static void Place(StringBuilder text, ref string place, string now)
    {
        if (place != now) text.Append("; ").Append(now).Append('\n');
        place = now;
    }

    private static void Key(StringBuilder text, string name, string? value, bool raw = false)
        => text.Append(name).Append(" = ").Append(value is null ? "true" : raw ? value : value.Replace("%", "%%", StringComparison.Ordinal)).Append('\n');
}
