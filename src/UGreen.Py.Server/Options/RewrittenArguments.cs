namespace UGreen.Py.Server.Options;

/// <summary>The command line in the one form that the parser is given.</summary>
/// <param name="Arguments">Canonical long names, each value joined by '='.</param>
/// <param name="Given">Options as the user wrote them, for <c>uwsgi.opt</c>: a string, true, or a list of strings.</param>
/// <param name="Errors">What the library passes over in silence: an option without its value, a flag with one.</param>
internal sealed record RewrittenArguments(IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, object> Given, IReadOnlyList<string> Errors)
{
    /// <summary>An application was given without an option.</summary>
    public bool HasBare { get; init; }

    /// <summary>Configuration files in the order in which they were given, with their option and what messages about them begin with.</summary>
    public IReadOnlyList<(string Option, string Text, string Label)> ConfigFiles { get; init; } = [];
}
