namespace UGreen.Py.Wsgi;

/// <summary>Python or the application could not be loaded. The message is one line for the user.</summary>
public sealed class WsgiLoadException(string message, string? pythonTraceback = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What Python says of it; null when there is nothing more to say.</summary>
    public string? PythonTraceback { get; } = pythonTraceback;

    /// <summary>Files of which a change may be the repair; empty without <see cref="WsgiSettings.Autoreload"/>.</summary>
    public IReadOnlyList<string> WatchedFiles { get; init; } = [];
}
