using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// <c>recv</c>, <c>send</c> and their kin, which can be told not to wait. A blocking send returns when all of it is on its way; a blocking receive of MSG_WAITALL when all is there.
/// </summary>
/// <param name="name">The function.</param>
/// <param name="direction">Which way.</param>
/// <param name="flags">Which argument the flags are.</param>
internal sealed class TransferCall(string name, FdDirection direction, int flags) : BlockingFunction(name)
{
    private const int DontWait = 0x40;
    private const int WaitAll = 0x100;
    private const int Message = 2;
    private const int Buffer = 1;
    private const int Bytes = 2;

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        if ((call.Int(flags) & DontWait) == 0 && !BlockingFd.IsNonBlocking(call.Int(0)))
        {
            answer = default;
            return false;
        }

        // The stub has tried, unless it is one that does not.
        answer = call.Tried >= 0 ? new BlockingAnswer(call.Tried) : Try(call, 0);
        return true;
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        var fd = wait.Call.Int(0);
        if (wait.Call.Tried > 0) wait.Done = wait.Call.Tried;
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
        var answer = Try(wait.Call, wait.Done);
        if (answer is { Result: -1, Errno: Errno.EAGAIN })
        {
            if (wait.Left != 0) return wait.WaitFd(wait.Call.Int(0), direction);
            return wait.Answer(wait.Done > 0 ? new BlockingAnswer(wait.Done) : answer);
        }

        if (!Collects(wait.Call)) return wait.Answer(answer);
        if (answer.Result < 0) return wait.Answer(wait.Done > 0 ? new BlockingAnswer(wait.Done) : answer);
        wait.Done += answer.Result;
        return answer.Result == 0 || wait.Done >= wait.Call[Bytes] ? wait.Answer(new BlockingAnswer(wait.Done)) : wait.WaitFd(wait.Call.Int(0), direction);
    }

    private bool Collects(NativeCall call) => flags != Message && (direction == FdDirection.Write || (call.Int(flags) & WaitAll) != 0);

    private BlockingAnswer Try(NativeCall call, nint done)
    {
        Span<nint> arguments = stackalloc nint[NativeCall.Arguments];
        call.CopyTo(arguments);
        arguments[flags] = call.Int(flags) | DontWait;
        if (done > 0)
        {
            arguments[Buffer] += done;
            arguments[Bytes] -= done;

            // The size of the buffer, which fortified functions compare.
            if (flags > Bytes + 1) arguments[Bytes + 1] -= done;
        }

        var result = call.Invoke(arguments, out var errno);
        return new BlockingAnswer(result, errno);
    }
}
