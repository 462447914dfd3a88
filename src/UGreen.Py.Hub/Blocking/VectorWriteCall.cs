using System.Runtime.InteropServices;
using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>writev</c>. As with <c>write</c> a blocking one returns when all is written; what a pipe takes whole goes whole. Standard output and error wait as ever.</summary>
internal sealed class VectorWriteCall(string name) : BlockingFunction(name)
{
    private const int PipeBuffer = 4096;

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        if (MayWait(call)) return TryNow(call, out answer);
        var result = call.Invoke(out var errno);
        answer = new BlockingAnswer(result, errno);
        return true;
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        if (wait.Call.Tried > 0) wait.Done = wait.Call.Tried;
        if (BlockingFd.WriteTime(wait.Call.Int(0)) is > 0 and var time) wait.SetLimit(time);
        return Go(wait);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause) => Go(wait);

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => wait.Done > 0 ? new BlockingAnswer(wait.Done) : BlockingAnswer.Error(Errno.ECONNABORTED);

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => $"{Name} on {DescriptorName.Of(call.Int(0))}";

    private static bool MayWait(NativeCall call)
    {
        var fd = call.Int(0);
        return fd is not (OutputDescriptor.StandardOutput or OutputDescriptor.StandardError) && (BlockingFd.IsPipe(fd) || BlockingFd.IsSocket(fd))
            && !BlockingFd.IsNonBlocking(fd);
    }

    // The kernel looks at the vector before it finds that it would wait, or cannot do without (ENOTSUP): from then on it can be read here.
    private static bool TryNow(NativeCall call, out BlockingAnswer answer)
    {
        var result = NoWait.WriteFrom(call.Int(0), call[1], call.Int(2));
        if (result < 0)
        {
            answer = BlockingAnswer.Error(Marshal.GetLastPInvokeError());
            return answer.Errno is not (Errno.EAGAIN or Errno.ENOTSUP);
        }

        answer = new BlockingAnswer(result);
        if (result >= new CallerVector(call[1], call.Int(2)).Total) return true;
        call.Tried = result;
        return false;
    }

    private static CallOutcome Go(BlockingWait wait)
    {
        var fd = wait.Call.Int(0);
        var vector = new CallerVector(wait.Call[1], wait.Call.Int(2));
        var total = vector.Total;
        var isSocket = BlockingFd.IsSocket(fd);
        while (true)
        {
            var errno = Errno.EAGAIN;
            var result = isSocket ? Send(vector, fd, wait.Done, out errno) : BlockingFd.IsWritable(fd) ? Write(wait, vector, total, out errno) : -1;
            if (result >= 0)
            {
                wait.Done += result;
                if (wait.Done >= total) return wait.Answer(new BlockingAnswer(wait.Done));
                continue;
            }

            if (errno == Errno.EAGAIN && wait.Left != 0) return wait.WaitFile(fd, FdDirection.Write);
            return wait.Answer(wait.Done > 0 ? new BlockingAnswer(wait.Done) : BlockingAnswer.Error(errno));
        }
    }

    private static nint Send(CallerVector vector, int fd, nint done, out int errno) => done == 0 ? vector.Send(fd, out errno) : vector.SendRest(fd, done, 0, out errno);

    // A pipe that can be written to takes a page, so the call as it is does not wait; only as long as nothing of it is written.
    private static nint Write(BlockingWait wait, CallerVector vector, nint total, out int errno)
    {
        if (wait.Done == 0 && total <= PipeBuffer) return wait.Call.Invoke(out errno);
        var (address, bytes) = vector.Rest(wait.Done);
        var result = Libc.write_from(wait.Call.Int(0), address, Math.Min(bytes, PipeBuffer));
        errno = result < 0 ? Marshal.GetLastPInvokeError() : 0;
        return result;
    }
}
