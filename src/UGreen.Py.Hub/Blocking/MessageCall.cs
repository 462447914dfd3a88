using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>sendmsg</c> and <c>recvmsg</c>. A blocking send to a stream returns when all is on its way, and a receive of MSG_WAITALL from one when all is there: the rest goes in parts.</summary>
internal sealed class MessageCall(string name, FdDirection direction) : BlockingFunction(name)
{
    private const int DontWait = 0x40;
    private const int WaitAll = 0x100;
    private const int Peek = 0x2;
    private const int Flags = 2;

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        var never = (call.Int(Flags) & DontWait) != 0 || BlockingFd.IsNonBlocking(call.Int(0));
        answer = call.Tried >= 0 ? new BlockingAnswer(call.Tried) : never ? Whole(call) : BlockingAnswer.Error(Errno.EAGAIN);
        return never || (answer.Result >= 0 && IsEnough(call, answer.Result));
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        var fd = wait.Call.Int(0);
        wait.Done = Math.Max(0, wait.Call.Tried);
        if ((direction == FdDirection.Read ? BlockingFd.ReadTime(fd) : BlockingFd.WriteTime(fd)) is > 0 and var time) wait.SetLimit(time);
        return Go(wait);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause) => Go(wait);

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => wait.Done > 0 ? new BlockingAnswer(wait.Done) : BlockingAnswer.Error(Errno.ECONNABORTED);

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => $"{Name} on {DescriptorName.Of(call.Int(0))}";

    private CallOutcome Go(BlockingWait wait)
    {
        var call = wait.Call;
        while (true)
        {
            var answer = wait.Done == 0 ? Whole(call) : Rest(call, wait.Done);
            if (answer.Result < 0)
            {
                if (answer.Errno == Errno.EAGAIN && wait.Left != 0) return wait.WaitFd(call.Int(0), direction);
                return wait.Answer(wait.Done > 0 ? new BlockingAnswer(wait.Done) : answer);
            }

            wait.Done += answer.Result;
            if (answer.Result == 0 || IsEnough(call, wait.Done)) return wait.Answer(new BlockingAnswer(wait.Done));
        }
    }

    private bool IsEnough(NativeCall call, nint done)
    {
        if (direction == FdDirection.Read && ((call.Int(Flags) & WaitAll) == 0 || (call.Int(Flags) & Peek) != 0)) return true;
        return done >= CallerVector.OfMessage(call[1]).Total || !BlockingFd.IsStream(call.Int(0));
    }

    private static BlockingAnswer Whole(NativeCall call)
    {
        Span<nint> arguments = stackalloc nint[NativeCall.Arguments];
        call.CopyTo(arguments);
        arguments[Flags] = call.Int(Flags) | DontWait;
        var result = call.Invoke(arguments, out var errno);
        return new BlockingAnswer(result, errno);
    }

    private BlockingAnswer Rest(NativeCall call, nint done)
    {
        var vector = CallerVector.OfMessage(call[1]);
        int errno;
        var result = direction == FdDirection.Read ? vector.ReceiveRest(call.Int(0), done, call.Int(Flags), out errno) : vector.SendRest(call.Int(0), done, call.Int(Flags), out errno);
        return result < 0 ? BlockingAnswer.Error(errno) : new BlockingAnswer(result);
    }
}
