using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>connect</c>: begun without waiting, done when the socket is writable. A Unix socket whose listener is busy is asked again.</summary>
internal sealed class ConnectCall(string name) : BlockingFunction(name)
{
    private const int InProgress = 115;

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        answer = default;
        if (!BlockingFd.IsNonBlocking(call.Int(0))) return false;
        var result = call.Invoke(out var errno);
        answer = new BlockingAnswer(result, errno);
        return true;
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        if (BlockingFd.WriteTime(wait.Call.Int(0)) is > 0 and var time) wait.SetLimit(time);
        return Connect(wait);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause)
    {
        var fd = wait.Call.Int(0);
        if (wait.Pause > 0) return wait.Left == 0 ? wait.Answer(BlockingAnswer.Error(Errno.EAGAIN)) : Connect(wait);
        if (!BlockingFd.IsWritable(fd)) return wait.Left == 0 ? wait.Answer(BlockingAnswer.Error(InProgress)) : wait.WaitFd(fd, FdDirection.Write);
        var error = BlockingFd.TakeError(fd);
        return wait.Answer(error == 0 ? new BlockingAnswer(0) : BlockingAnswer.Error(error));
    }

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => BlockingAnswer.Error(Errno.ECONNABORTED);

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => $"{Name} on {DescriptorName.Of(call.Int(0), call[1], call.Int(2))}";

    private static CallOutcome Connect(BlockingWait wait)
    {
        var fd = wait.Call.Int(0);
        BlockingFd.SetNonBlocking(fd, true);
        var result = wait.Call.Invoke(out var errno);
        BlockingFd.SetNonBlocking(fd, false);
        if ((int)result == 0 || errno is not (InProgress or Errno.EAGAIN)) return wait.Answer(new BlockingAnswer(result, errno));
        return errno == InProgress ? wait.WaitFd(fd, FdDirection.Write) : wait.ParkForLook();
    }
}
