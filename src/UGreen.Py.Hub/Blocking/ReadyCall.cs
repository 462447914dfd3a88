using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>read</c>, <c>readv</c>, <c>accept</c>: made as they are, once the descriptor is ready.</summary>
internal sealed class ReadyCall(string name) : BlockingFunction(name)
{
    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        answer = default;
        if (!IsReady(call) && !BlockingFd.IsNonBlocking(call.Int(0))) return false;
        answer = Call(call);
        return true;
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        var fd = wait.Call.Int(0);
        if (BlockingFd.ReadTime(fd) is > 0 and var time) wait.SetLimit(time);
        return wait.WaitFd(fd, FdDirection.Read);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause)
    {
        if (IsReady(wait.Call)) return wait.Answer(Call(wait.Call));
        return wait.Left == 0 ? wait.Answer(BlockingAnswer.Error(Errno.EAGAIN)) : wait.WaitFd(wait.Call.Int(0), FdDirection.Read);
    }

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => BlockingAnswer.Error(Errno.ECONNABORTED);

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => $"{Name} on fd {call.Int(0)}";

    private static BlockingAnswer Call(NativeCall call)
    {
        var result = call.Invoke(out var errno);
        return new BlockingAnswer(result, errno);
    }

    private static bool IsReady(NativeCall call) => BlockingFd.IsReadable(call.Int(0));
}
