using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>read</c>, <c>readv</c>, <c>writev</c>, <c>accept</c>: made as they are, once the descriptor is ready. Standard output and error wait as ever.</summary>
internal sealed class ReadyCall(string name, FdDirection direction) : BlockingFunction(name)
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
        if ((direction == FdDirection.Read ? BlockingFd.ReadTime(fd) : BlockingFd.WriteTime(fd)) is > 0 and var time) wait.SetLimit(time);
        return wait.WaitFd(fd, direction);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause)
    {
        if (IsReady(wait.Call)) return wait.Answer(Call(wait.Call));
        return wait.Left == 0 ? wait.Answer(BlockingAnswer.Error(Errno.EAGAIN)) : wait.WaitFd(wait.Call.Int(0), direction);
    }

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => BlockingAnswer.Error(Errno.ECONNABORTED);

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => $"{Name} on {DescriptorName.Of(call.Int(0))}";

    private static BlockingAnswer Call(NativeCall call)
    {
        var result = call.Invoke(out var errno);
        return new BlockingAnswer(result, errno);
    }

    private bool IsReady(NativeCall call)
    {
        var fd = call.Int(0);
        if (direction == FdDirection.Read) return BlockingFd.IsReadable(fd);
        return fd is OutputDescriptor.StandardError or OutputDescriptor.StandardOutput || BlockingFd.IsWritable(fd);
    }
}
