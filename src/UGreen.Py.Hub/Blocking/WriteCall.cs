using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// <c>write</c>. A blocking one returns when all is written: to a pipe it goes in parts that fit, to a socket in parts that it takes. Files take everything at once.
/// </summary>
internal sealed class WriteCall(string name) : BlockingFunction(name)
{
    private const int PipeBuffer = 4096;
    private const int DontWait = 0x40;
    private const int Bytes = 2;

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        answer = default;
        var fd = call.Int(0);
        if ((BlockingFd.IsPipe(fd) || BlockingFd.IsSocket(fd)) && !BlockingFd.IsNonBlocking(fd)) return false;
        var result = call.Invoke(out var errno);
        answer = new BlockingAnswer(result, errno);
        return true;
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        var fd = wait.Call.Int(0);
        if (BlockingFd.WriteTime(fd) is > 0 and var time) wait.SetLimit(time);
        return Go(wait);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause) => Go(wait);

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => wait.Done > 0 ? new BlockingAnswer(wait.Done) : BlockingAnswer.Error(Errno.ECONNABORTED);

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => $"{Name} on {DescriptorName.Of(call.Int(0))}";

    private static CallOutcome Go(BlockingWait wait)
    {
        var call = wait.Call;
        var fd = call.Int(0);
        var isSocket = BlockingFd.IsSocket(fd);
        while (true)
        {
            var left = call[Bytes] - wait.Done;
            if (left <= 0 && wait.Done > 0) return wait.Answer(new BlockingAnswer(wait.Done));
            if (isSocket || BlockingFd.IsWritable(fd))
            {
                var result = isSocket ? Libc.send(fd, call[1] + wait.Done, left, DontWait) : Libc.write_from(fd, call[1] + wait.Done, Math.Min(left, PipeBuffer));
                var errno = result < 0 ? System.Runtime.InteropServices.Marshal.GetLastPInvokeError() : 0;
                if (result >= 0)
                {
                    wait.Done += result;
                    if (left == result) return wait.Answer(new BlockingAnswer(wait.Done));
                    continue;
                }

                if (errno != Errno.EAGAIN) return wait.Answer(wait.Done > 0 ? new BlockingAnswer(wait.Done) : BlockingAnswer.Error(errno));
            }

            if (wait.Left == 0) return wait.Answer(wait.Done > 0 ? new BlockingAnswer(wait.Done) : BlockingAnswer.Error(Errno.EAGAIN));
            return wait.WaitFd(fd, FdDirection.Write);
        }
    }
}
