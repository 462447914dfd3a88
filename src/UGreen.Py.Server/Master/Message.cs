namespace UGreen.Py.Server.Master;

/// <summary>First words of the lines on a <see cref="ControlChannel"/>; what follows stands beside each.</summary>
internal static class Message
{
    // Master to worker.

    /// <summary>A <see cref="WorkerOrder"/>; the first message.</summary>
    public const string Order = "order";

    /// <summary>A reason: finish and end.</summary>
    public const string Drain = "drain";

    // Worker to master.

    /// <summary>Python's version: requests are served.</summary>
    public const string Ready = "ready";

    /// <summary>A message: it cannot start.</summary>
    public const string Failed = "failed";

    /// <summary>A reason: it drains by itself.</summary>
    public const string Leaving = "leaving";

    /// <summary>A reason: it wants to be replaced.</summary>
    public const string Recycle = "recycle";

    /// <summary>A reason: all workers are to be replaced.</summary>
    public const string Reload = "reload";

    /// <summary>A reason: the server is to stop.</summary>
    public const string Stop = "stop";

    /// <summary>How the line about a stack that overflowed begins. It is written by machine code and is no message like the others: its words are the line's.</summary>
    public const string Overflow = "ugreen-py:";

    // Both ways.

    /// <summary>A signal of the uwsgi module: its number and, to the master, the number of a worker or 0 for all others.</summary>
    public const string Signal = "signal";
}
