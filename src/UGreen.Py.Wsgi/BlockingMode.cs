namespace UGreen.Py.Wsgi;

/// <summary>Whether blocking calls of Python and of C libraries wait green (docs/adr/0040).</summary>
public enum BlockingMode
{
    /// <summary>Where the process has what that needs; elsewhere a line in the log says what is missing.</summary>
    WherePossible,

    /// <summary>A worker that cannot do it does not start.</summary>
    Required,

    /// <summary>They hold up the worker.</summary>
    Off,
}
