namespace UGreen.Py.Server.Master;

/// <summary>
/// Where a worker process is in its life.
/// <code>
/// Starting -> Ready -> Draining -> (ended)
///     |         |
///     +---------+-> (ended)
/// </code>
/// </summary>
internal enum WorkerState
{
    /// <summary>It loads Python and the application.</summary>
    Starting = 1,

    /// <summary>It serves.</summary>
    Ready = 2,

    /// <summary>It takes no new requests, and will end.</summary>
    Draining = 3,
}
