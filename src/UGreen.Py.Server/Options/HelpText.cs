using System.Text;

namespace UGreen.Py.Server.Options;

/// <summary>The text of <c>--help</c>, made from <see cref="OptionTable"/>.</summary>
internal static class HelpText
{
    private const int Column = 34;

    public static string Build()
    {
        var text = new StringBuilder();
        text.Append("Usage: ugreen-py [OPTIONS] [PKG.MOD[:CALLABLE] | FILE.py[:CALLABLE]] [FILE.ini]\n\n");
        text.Append("Serves a WSGI application; each request runs on a green thread of its own.\n");
        text.Append("Options may also stand in files (ugreen-py uwsgi.ini) and in the environment (UWSGI_HTTP=:8080): the command line\n");
        text.Append("is stronger than files, and these than the environment. Options that may be repeated add up, except addresses.\n");
        foreach (var group in OptionTable.Groups)
        {
            text.Append('\n').Append(group.Title).Append(":\n");
            foreach (var option in group.Options) Append(text, option);
        }

        text.Append("\nExamples:\n");
        text.Append("  ugreen-py -w tests.cpubound_green --async 30 --ugreen\n");
        text.Append("  ugreen-py -w mysite.wsgi:application --http :8080 --async 200 -H /srv/site/venv --chdir /srv/site\n");
        return text.ToString();
    }

    private static void Append(StringBuilder text, OptionSpec option)
    {
        var left = new StringBuilder("  ");
        if (option.Short is { } letter) left.Append('-').Append(letter).Append(", ");
        left.Append("--").Append(option.Usage);

        text.Append(left);
        // A long left side has its explanation on the next line.
        if (left.Length >= Column) text.Append('\n').Append(' ', Column);
        else text.Append(' ', Column - left.Length);
        text.Append(option.Help);
        if (option.Repeatable) text.Append("; may be repeated");
        if (option.Default is not null) text.Append(" (default ").Append(option.Default).Append(')');
        text.Append('\n');
        if (option.Aliases.Count > 0) text.Append(' ', Column).Append("also: --").AppendJoin(", --", option.Aliases).Append('\n');
    }
}
