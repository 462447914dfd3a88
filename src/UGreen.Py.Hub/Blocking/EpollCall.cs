using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>epoll_wait</c>, <c>epoll_pwait</c> and <c>epoll_pwait2</c>: the set is a descriptor that is readable when something in it is ready.</summary>
internal sealed class EpollCall(string name, bool isFine) : BlockingFunction(name)
{
    private const int Time = 3;

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        var isWrong = isFine && call[Time] != 0 && !CTime.IsValid(call[Time]);
        var result = isWrong ? (int)call.Invoke(out var errno) : Look(call, out errno);
        answer = new BlockingAnswer(result, errno);
        return result != 0 || TimeOf(call) == 0;
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        if (TimeOf(wait.Call) is > 0 and var time) wait.SetLimit(time);
        return wait.WaitFd(wait.Call.Int(0), FdDirection.Read);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause)
    {
        var result = Look(wait.Call, out var errno);
        return result != 0 || wait.Left == 0 ? wait.Answer(new BlockingAnswer(result, errno)) : wait.WaitFd(wait.Call.Int(0), FdDirection.Read);
    }

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => new(0);

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => $"{Name} on {DescriptorName.Of(call.Int(0))}";

    // Without waiting. A wrong time is found by the call itself.
    private nint Look(NativeCall call, out int errno)
    {
        Span<nint> arguments = stackalloc nint[NativeCall.Arguments];
        call.CopyTo(arguments);
        arguments[Time] = isFine ? CTime.Zero : 0;
        return (int)call.Invoke(arguments, out errno);
    }

    /// <summary>Nanoseconds; negative: no limit.</summary>
    private long TimeOf(NativeCall call)
    {
        if (!isFine) return call.Int(Time) * 1_000_000L;
        return call[Time] == 0 ? -1 : CTime.Nanoseconds(call[Time]);
    }
}
