namespace UGreen.Py.Wsgi.Harakiri;

/// <summary>What the watch thread has done for a request. Times tell one request from the next on the same object: no two have the same.</summary>
internal sealed class WatchMarks
{
    /// <summary>The hub was asked for the limit that was exceeded then.</summary>
    public long Asked { get; set; }

    /// <summary>The log says that the request which began then holds up the worker.</summary>
    public long HoldUpTold { get; set; }

    /// <summary>The log says that the request with this kill time is stuck.</summary>
    public long StuckTold { get; set; }
}
