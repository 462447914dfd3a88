namespace UGreen.Py.Server.Master;

/// <summary>
/// What one worker may say when. Most it may say at any time: a request may ask for a reload before the others can be served, and a SIGTERM may come twice. One thread.
/// <code>
/// Ready        once, and not after Failed
/// Failed       once
/// Overflowed   once
/// Signal       to a worker that there can be
/// </code>
/// </summary>
/// <param name="workers">The most that there are.</param>
internal sealed class WorkerVoice(int workers)
{
    private bool _isReady;
    private bool _hasFailed;
    private bool _hasOverflowed;

    /// <summary>Takes note of a message.</summary>
    /// <returns>What is wrong with it now, to stand behind "a message"; null: nothing.</returns>
    public string? Objection(WorkerMessage message)
    {
        switch (message)
        {
            case WorkerMessage.Ready when _isReady: return "that it serves, for the second time";
            case WorkerMessage.Ready when _hasFailed: return "that it serves, after it had said that it cannot start";
            case WorkerMessage.Failed when _hasFailed: return "that it cannot start, for the second time";
            case WorkerMessage.Overflowed when _hasOverflowed: return "that a stack has overflowed, for the second time";
            case WorkerMessage.Signal { Worker: var worker } when worker > workers: return $"with a signal for worker {worker} of {workers}";
        }

        _isReady |= message is WorkerMessage.Ready;
        _hasFailed |= message is WorkerMessage.Failed;
        _hasOverflowed |= message is WorkerMessage.Overflowed;
        return null;
    }
}
