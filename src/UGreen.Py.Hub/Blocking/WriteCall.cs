using System.Runtime.InteropServices;
using UGreen.Py.Machine;
using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// <c>write</c> and <c>writev</c>. A blocking one returns when all is written: to a pipe and to a socket in parts that they take. Files take everything at once.
/// </summary>
/// <param name="name">The function.</param>
/// <param name="stubs">Know what a descriptor is.</param>
/// <param name="isVector">Its arguments are several buffers.</param>
internal sealed class WriteCall(string name, PreloadedStubs stubs, bool isVector = false) : BlockingFunction(name)
{
    private const int PipeBuffer = 4096;
    private const int DontWait = 0x40;
    private const int Buffer = 1;
    private const int Size = 2;

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        var fd = call.Int(0);
        var mayWait = fd is not (OutputDescriptor.StandardError or OutputDescriptor.StandardOutput) && stubs.KindOf(fd) is FdKind.Stream or FdKind.Other && !BlockingFd.IsNonBlocking(fd);
        if (isVector && mayWait) return TryVectors(call, out answer);
        answer = default;
        if (mayWait) return false;
        if (call.Tried > 0)
        {
            answer = new BlockingAnswer(call.Tried);
            return true;
        }

        var result = call.Invoke(out var errno);
        answer = new BlockingAnswer(result, errno);
        return true;
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        var fd = wait.Call.Int(0);
        if (wait.Call.Tried > 0) wait.Done = wait.Call.Tried;
        if (BlockingFd.WriteTime(fd) is > 0 and var time) wait.SetLimit(time);
        return Go(wait);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause) => Go(wait);

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => wait.Done > 0 ? new BlockingAnswer(wait.Done) : BlockingAnswer.Error(Errno.ECONNABORTED);

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => $"{Name} on fd {call.Int(0)}";

    // The kernel looks at the vectors before it finds that it would wait, or cannot do without: from then on they can be read.
    private static bool TryVectors(NativeCall call, out BlockingAnswer answer)
    {
        var result = IoVectors.TryWrite(call.Int(0), call[Buffer], call.Int(Size));
        if (result < 0)
        {
            answer = BlockingAnswer.Error(Marshal.GetLastPInvokeError());
            return answer.Errno is not (Errno.EAGAIN or Errno.ENOTSUP);
        }

        answer = new BlockingAnswer(result);
        if (result >= IoVectors.Bytes(call[Buffer], call[Size])) return true;
        call.Tried = result;
        return false;
    }

    private CallOutcome Go(BlockingWait wait)
    {
        var call = wait.Call;
        var fd = call.Int(0);
        var isSocket = BlockingFd.TypeOf(fd) == FdType.Socket;
        var isStream = stubs.KindOf(fd) == FdKind.Stream;
        var bytes = isVector ? IoVectors.Bytes(call[Buffer], call[Size]) : call[Size];
        while (true)
        {
            if (bytes <= wait.Done && wait.Done > 0) return wait.Answer(new BlockingAnswer(wait.Done));
            if (isSocket || isStream || BlockingFd.IsWritable(fd))
            {
                var result = isSocket ? Send(call, wait.Done) : isStream ? WriteNow(call, wait.Done) : WritePart(call, wait.Done);
                if (result >= 0)
                {
                    wait.Done += result;
                    if (wait.Done >= bytes) return wait.Answer(new BlockingAnswer(wait.Done));
                    continue;
                }

                var errno = Marshal.GetLastPInvokeError();
                if (errno != Errno.EAGAIN) return wait.Answer(wait.Done > 0 ? new BlockingAnswer(wait.Done) : BlockingAnswer.Error(errno));
            }

            if (wait.Left == 0) return wait.Answer(wait.Done > 0 ? new BlockingAnswer(wait.Done) : BlockingAnswer.Error(Errno.EAGAIN));
            return wait.WaitFd(fd, FdDirection.Write);
        }
    }

    private nint Send(NativeCall call, nint done) => isVector
        ? IoVectors.Send(call.Int(0), call[Buffer], call.Int(Size), done, DontWait)
        : Libc.send(call.Int(0), call[Buffer] + done, call[Size] - done, DontWait);

    private nint WriteNow(NativeCall call, nint done) => isVector
        ? IoVectors.WriteNow(call.Int(0), call[Buffer], call.Int(Size), done)
        : IoVectors.WriteNow(call.Int(0), call[Buffer] + done, call[Size] - done);

    private nint WritePart(NativeCall call, nint done) => isVector
        ? IoVectors.WritePart(call.Int(0), call[Buffer], call.Int(Size), done, PipeBuffer)
        : Libc.write_from(call.Int(0), call[Buffer] + done, Math.Min(call[Size] - done, PipeBuffer));
}
