namespace UGreen.Py.Server.Options;

/// <summary>The command line in the one form that the parser is given.</summary>
/// <param name="Arguments">Canonical long names, each value joined by '='.</param>
/// <param name="Given">Options as the user wrote them, for <c>uwsgi.opt</c>: a string, true, or a list of strings.</param>
/// <param name="Errors">What the library passes over in silence: an option without its value, a flag with one.</param>
internal sealed record RewrittenArguments(IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, object> Given, IReadOnlyList<string> Errors);
