namespace UGreen.Py.Wsgi;

/// <summary>Python or the application could not be loaded. The message is one line for the user.</summary>
public sealed class WsgiLoadException(string message, string? pythonTraceback = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What Python says of it; null when there is nothing more to say.</summary>
    public string? PythonTraceback { get; } = pythonTraceback;

    /// <summary>Absolute paths of the files that had a part in it; when one changes, another try may go better. Empty when Python itself could not be started.</summary>
    public IReadOnlyList<string> WatchedFiles { get; init; } = [];
}
