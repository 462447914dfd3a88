namespace UGreen.Py.Server.Master;

/// <summary>What a worker counts.</summary>
internal enum Figure
{
    /// <summary>Requests that have ended.</summary>
    Requests,

    /// <summary>Of these: the application raised.</summary>
    Exceptions,

    /// <summary>Of these: ended by harakiri.</summary>
    Harakiris,

    /// <summary>Bytes of response bodies.</summary>
    SentBytes,

    /// <summary>Nanoseconds spent in requests.</summary>
    RunningTime,

    /// <summary>Requests that run now; not kept when the process ends.</summary>
    Busy,
}
