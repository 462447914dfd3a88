using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary>What cannot become readiness is called on an OS thread of the pool: <c>getaddrinfo</c> and its kin, <c>system</c>. An exception waits for its end.</summary>
internal class PoolCall(string name) : BlockingFunction(name)
{
    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        answer = default;
        return false;
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait) => wait.Calls.Pool.Run(wait);

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause) => wait.Answer(wait.PoolAnswer);

    /// <inheritdoc/>
    public override bool CanEndSoftly => false;

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => wait.PoolAnswer;
}
