namespace UGreen.Py.Wsgi;

/// <summary>Python or the application could not be loaded. The message is one line for the user.</summary>
public sealed class WsgiLoadException(string message, string? pythonTraceback = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What Python says of it; null when there is nothing more to say.</summary>
    public string? PythonTraceback { get; } = pythonTraceback;
}
