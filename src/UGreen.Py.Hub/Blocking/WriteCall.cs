using System.Runtime.InteropServices;
using UGreen.Py.Machine;
using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// <c>write</c>. A blocking one returns when all is written: to a pipe and to a socket in parts that they take. Files take everything at once.
/// </summary>
/// <param name="name">The function.</param>
/// <param name="stubs">Know what a descriptor is.</param>
internal sealed class WriteCall(string name, PreloadedStubs stubs) : BlockingFunction(name)
{
    private const int PipeBuffer = 4096;
    private const int DontWait = 0x40;
    private const int Buffer = 1;
    private const int Size = 2;

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        var fd = call.Int(0);
        var mayWait = fd is not (OutputDescriptor.StandardError or OutputDescriptor.StandardOutput) && MayWait(fd) && !BlockingFd.IsNonBlocking(fd);
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
    public override string Describe(NativeCall call) => $"{Name} on {DescriptorName.Of(call.Int(0))}";

    private bool MayWait(int fd) => stubs.KindOf(fd) switch
    {
        FdKind.Stream => true,
        FdKind.Other => BlockingFd.IsPipe(fd) || BlockingFd.IsSocket(fd),
        _ => false,
    };

    private CallOutcome Go(BlockingWait wait)
    {
        var call = wait.Call;
        var fd = call.Int(0);
        var isStream = stubs.KindOf(fd) == FdKind.Stream;
        var isSocket = !isStream && BlockingFd.IsSocket(fd);
        var bytes = call[Size];
        while (true)
        {
            if (bytes <= wait.Done && wait.Done > 0) return wait.Answer(new BlockingAnswer(wait.Done));
            if (isSocket || isStream || BlockingFd.IsWritable(fd))
            {
                var result = isSocket ? Libc.send(fd, call[Buffer] + wait.Done, bytes - wait.Done, DontWait)
                    : isStream ? NoWait.Write(fd, call[Buffer] + wait.Done, bytes - wait.Done)
                    : Libc.write_from(fd, call[Buffer] + wait.Done, Math.Min(bytes - wait.Done, PipeBuffer));
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
            return wait.WaitFile(fd, FdDirection.Write);
        }
    }
}
