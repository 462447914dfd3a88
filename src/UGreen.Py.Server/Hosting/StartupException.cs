namespace UGreen.Py.Server.Hosting;

/// <summary>The server cannot start for a reason that the operator can repair. The message is one whole line.</summary>
internal sealed class StartupException : Exception
{
    public StartupException(string message, string? traceback = null, Exception? inner = null) : base(message, inner) => Traceback = traceback;

    /// <summary>The application's own Python traceback, when it is the application that failed.</summary>
    public string? Traceback { get; }

    /// <summary>Files of which a change may be the repair, with <c>--py-autoreload</c>.</summary>
    public IReadOnlyList<string> WatchedFiles { get; init; } = [];
}
