using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>sched_yield</c>: other green threads run, and then other OS threads, for one of which the caller may spin.</summary>
internal sealed class YieldCall(string name) : BlockingFunction(name)
{
    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        answer = default;
        return false;
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait) => wait.LetOthersRun(WakeCause.Timeout);

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause) => wait.AnswerByCall();

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => new(0);

    /// <inheritdoc/>
    public override BlockingAnswer Signalled(BlockingWait wait) => new(0);
}
