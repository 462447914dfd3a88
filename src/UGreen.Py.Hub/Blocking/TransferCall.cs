using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// <c>recv</c>, <c>send</c> and their kin, which can be told not to wait. A blocking send returns when all of it is on its way; a receive of MSG_WAITALL from a stream when all is there.
/// </summary>
/// <param name="name">The function.</param>
/// <param name="direction">Which way.</param>
/// <param name="flags">Which argument the flags are.</param>
internal sealed class TransferCall(string name, FdDirection direction, int flags) : BlockingFunction(name)
{
    private const int DontWait = 0x40;
    private const int WaitAll = 0x100;
    private const int Peek = 0x2;
    private const int Buffer = 1;
    private const int Bytes = 2;
    private const int Tried = 3; // the place of the flags where stubs try

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        if ((call.Int(flags) & DontWait) == 0 && !BlockingFd.IsNonBlocking(call.Int(0)))
        {
            answer = default;
            return false;
        }

        answer = call.Tried >= 0 ? new BlockingAnswer(call.Tried) : HasFoundNothing(call) ? BlockingAnswer.Error(Errno.EAGAIN) : Try(call, 0);
        return true;
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        var fd = wait.Call.Int(0);
        if (wait.Call.Tried > 0) wait.Done = wait.Call.Tried;
        if ((direction == FdDirection.Read ? BlockingFd.ReadTime(fd) : BlockingFd.WriteTime(fd)) is > 0 and var time) wait.SetLimit(time);
        return HasFoundNothing(wait.Call) ? wait.WaitFd(fd, direction) : Go(wait);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause) => Go(wait);

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => wait.Done > 0 ? new BlockingAnswer(wait.Done) : BlockingAnswer.Error(Errno.ECONNABORTED);

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => $"{Name} on {DescriptorName.Of(call.Int(0))}";

    // The stub (x64-tries.s) has made the call without waiting a moment ago; what came since is an event.
    private bool HasFoundNothing(NativeCall call) => flags == Tried && call.Tried < 0 && (direction == FdDirection.Write || (call.Int(flags) & WaitAll) == 0);

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
        if ((wait.Call.Int(flags) & Peek) != 0 && direction == FdDirection.Read) return Peeked(wait, answer);
        wait.Done += answer.Result;
        return answer.Result == 0 || wait.Done >= wait.Call[Bytes] ? wait.Answer(new BlockingAnswer(wait.Done)) : wait.WaitFd(wait.Call.Int(0), direction);
    }

    // A look takes nothing away, so nothing tells of more.
    private static CallOutcome Peeked(BlockingWait wait, BlockingAnswer answer)
        => answer.Result >= wait.Call[Bytes] || wait.Left == 0 || BlockingFd.IsAtEnd(wait.Call.Int(0)) ? wait.Answer(answer) : wait.ParkForLook();

    private bool Collects(NativeCall call) => direction == FdDirection.Write || ((call.Int(flags) & WaitAll) != 0 && BlockingFd.IsStream(call.Int(0)));

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
