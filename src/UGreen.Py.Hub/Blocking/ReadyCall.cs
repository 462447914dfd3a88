using System.Runtime.InteropServices;
using UGreen.Py.Machine;
using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>read</c>, <c>readv</c>, <c>accept</c>: made once the descriptor is ready; of a pipe or a socket without waiting even if somebody else was faster.</summary>
/// <param name="name">The function.</param>
/// <param name="stubs">Know what a descriptor is; null: made as it is.</param>
/// <param name="isVector">Its arguments are several buffers.</param>
internal sealed class ReadyCall(string name, PreloadedStubs? stubs = null, bool isVector = false) : BlockingFunction(name)
{
    private const int Buffer = 1;
    private const int Size = 2;

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        if (TryCall(call, out answer)) return true;
        if (!BlockingFd.IsNonBlocking(call.Int(0))) return false;
        answer = Call(call);
        return true;
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        var fd = wait.Call.Int(0);
        if (BlockingFd.ReadTime(fd) is > 0 and var time) wait.SetLimit(time);
        return wait.WaitFile(fd, FdDirection.Read);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause)
    {
        if (TryCall(wait.Call, out var answer)) return wait.Answer(answer);
        return wait.Left == 0 ? wait.Answer(BlockingAnswer.Error(Errno.EAGAIN)) : wait.WaitFile(wait.Call.Int(0), FdDirection.Read);
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

    private bool TryCall(NativeCall call, out BlockingAnswer answer)
    {
        answer = default;
        var fd = call.Int(0);
        var kind = stubs?.KindOf(fd) ?? FdKind.Other;
        if (kind == FdKind.Stream)
        {
            var result = isVector ? NoWait.ReadInto(fd, call[Buffer], call.Int(Size)) : NoWait.Read(fd, call[Buffer], call[Size]);
            var errno = result < 0 ? Marshal.GetLastPInvokeError() : 0;
            if (errno == Errno.EAGAIN) return false;
            answer = new BlockingAnswer(result, result < 0 ? errno : null);
            return true;
        }

        if (kind != FdKind.File && !BlockingFd.IsReadable(fd)) return false;
        answer = Call(call);
        return true;
    }
}
