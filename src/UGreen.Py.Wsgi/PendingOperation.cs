namespace UGreen.Py.Wsgi;

/// <summary>The operation of the front that a request is parked for.</summary>
internal enum PendingOperation
{
    None,
    Flush,
    Read,

    /// <summary>A pause, in which others may write to its client.</summary>
    Pause,
}
