namespace UGreen.Py.Hub;

/// <summary>Why a parked green thread became ready.</summary>
public enum WakeCause : byte
{
    /// <summary>It was not parked: it had yielded.</summary>
    None,

    /// <summary>A file descriptor that it waits for is ready.</summary>
    Fd,

    /// <summary>The file descriptor that it waits for was closed. Only within a call of the C library: for other waits that is <see cref="Fd"/>.</summary>
    Closed,

    /// <summary>Its time is up.</summary>
    Timeout,

    /// <summary>An operation that it started (body read, flush) is done.</summary>
    Completed,

    /// <summary>The client of its request went away.</summary>
    ClientGone,

    /// <summary>Another green thread or thread released it.</summary>
    Released,

    /// <summary>A signal has come, for which Python has a handler: the call of the C library that it waits in returns as one that is interrupted.</summary>
    Signal,

    /// <summary>An exception is to be raised in it, see <see cref="GreenThread.Interrupt"/>.</summary>
    Interrupted,
}
