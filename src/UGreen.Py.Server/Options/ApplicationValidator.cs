using UGreen.Py.Wsgi;

namespace UGreen.Py.Server.Options;

/// <summary>Checks the options of the group "Application".</summary>
internal sealed class ApplicationValidator(ParsedArguments arguments, List<string> errors)
{
    /// <summary>False with --need-app=false: the server starts without an application, too.</summary>
    public bool NeedApplication { get; } = YesNo("need-app", arguments.NeedApp, errors);

    /// <summary>The application at the root first, if there is one; then the mounted ones in the order given.</summary>
    public List<WsgiMount> Applications()
    {
        var found = new List<WsgiMount>();
        var before = errors.Count;
        var callable = arguments.Callable is { Length: > 0 } given ? given : OptionDefaults.Callable;
        if (Root(callable) is { } root) found.Add(new WsgiMount("", root.Module, root.File, root.Callable));
        foreach (var text in arguments.Mount)
        {
            if (UrlPrefix.Split("mount", text, "APP, as in /blog=blog.wsgi:application", errors) is not { } mount) continue;
            var application = ApplicationName.Parse($"--mount {mount.Path}/", mount.Value, callable, errors);
            var taken = found.Find(other => other.Point == mount.Path);
            if (taken is null) found.Add(new WsgiMount(mount.Path, application.Module, application.File, application.Callable));
            else errors.Add($"--mount '{text}': there is already an application at {(mount.Path.Length == 0 ? "/" : mount.Path)}: {taken.File ?? taken.Module}:{taken.Callable}");
        }

        if (found.Count == 0 && errors.Count == before && NeedApplication)
            errors.Add("no application: give --module PKG.MOD[:CALLABLE], --wsgi-file FILE or one of them as a bare argument");
        // The root first: it is the one whose module may hold a dict of applications.
        return [.. found.OrderBy(application => application.Point.Length > 0)];
    }

    /// <summary>The values of --env. A name that is given twice has its last value, as in a shell.</summary>
    public List<KeyValuePair<string, string>> Variables()
    {
        var variables = new List<KeyValuePair<string, string>>();
        foreach (var text in arguments.Env)
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0) variables.Add(new(text[..equals], text[(equals + 1)..]));
            else errors.Add($"--env '{text}': expected NAME=VALUE");
        }

        return variables;
    }

    /// <summary>What <c>uwsgi.opt</c> holds: the options as given, and what --set adds to them.</summary>
    public IReadOnlyDictionary<string, object> WithSets(IReadOnlyDictionary<string, object> given)
    {
        var all = new Dictionary<string, object>(given, StringComparer.Ordinal);
        foreach (var text in arguments.Set)
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            var key = equals < 0 ? text : text[..equals];
            if (key.Length == 0) errors.Add($"--set '{text}': expected KEY=VALUE or KEY");
            else if (equals < 0) all.TryAdd(key, true);
            else ArgumentRewriter.Note(all, key, text[(equals + 1)..]);
        }

        return all;
    }

    /// <summary>The application at the root; null when there is none, or after an error.</summary>
    private ApplicationName? Root(string callable)
    {
        if (arguments.Callable is "") errors.Add("--callable: the value is empty");
        var bare = arguments.Applications.ToList();
        var named = new[] { Named("--module", arguments.Module), Named("--wsgi-file", arguments.WsgiFile) }.OfType<string>().Concat(bare).ToList();
        if (named.Count > 1)
        {
            errors.Add($"one application only: give one of --module, --wsgi-file and a bare argument (got {string.Join(", ", named)})");
            return null;
        }

        if (bare.Count == 1) return ApplicationName.Parse("application", bare[0], callable, errors);
        if (arguments.WsgiFile is { } file) return new(null, file, callable);
        return arguments.Module is { } module ? ApplicationName.ParseModule("--module", module, callable, errors) : null;
    }

    private static string? Named(string option, string? value) => value is null ? null : $"{option} {value}";

    internal static bool YesNo(string option, string? text, List<string> errors)
    {
        switch (text?.ToLowerInvariant())
        {
            case null or "true" or "on" or "yes" or "1":
                return true;
            case "false" or "off" or "no" or "0":
                return false;
            default:
                errors.Add($"--{option}: '{text}' is not known; expected true or false");
                return true;
        }
    }
}
