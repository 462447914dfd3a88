using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// <c>sendfile</c> and <c>splice</c>. Neither can be told not to wait for a socket, so that is made one that does not block for the length of the call. A blocking <c>sendfile</c> returns when
/// all is on its way, <c>splice</c> when something is.
/// </summary>
internal sealed class CopyCall(string name, CopyCall.Kind kind) : BlockingFunction(name)
{
    /// <summary>Its arguments.</summary>
    internal enum Kind
    {
        /// <summary>To, from, offset, count.</summary>
        SendFile,

        /// <summary>From, offset, to, offset, count, flags.</summary>
        Splice,
    }

    private const int SendFileCount = 3;
    private const int SpliceFlags = 5;
    private const int NonBlocking = 2; // SPLICE_F_NONBLOCK
    private const nint Most = 0x7FFF_F000; // That much in one call.

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        answer = default;
        if (kind == Kind.SendFile && !BlockingFd.IsNonBlocking(To(call))) return false;
        answer = Try(call, 0);
        return !(kind == Kind.Splice && answer is { Result: < 0, Errno: Errno.EAGAIN } && (call.Int(SpliceFlags) & NonBlocking) == 0 && !IsEitherNonBlocking(call));
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        if (BlockingFd.WriteTime(To(wait.Call)) is > 0 and var time) wait.SetLimit(time);
        return Go(wait);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause) => Go(wait);

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => wait.Done > 0 ? new BlockingAnswer(wait.Done) : BlockingAnswer.Error(Errno.ECONNABORTED);

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => $"{Name} from fd {From(call)} to fd {To(call)}";

    private CallOutcome Go(BlockingWait wait)
    {
        var call = wait.Call;
        while (true)
        {
            var answer = Try(call, wait.Done);
            if (answer is { Result: < 0, Errno: Errno.EAGAIN } && wait.Left != 0) return Wait(wait);
            if (answer.Result > 0) wait.Done += answer.Result;
            if (answer.Result <= 0 || kind == Kind.Splice || wait.Done >= Math.Min(call[SendFileCount], Most)) return wait.Answer(wait.Done > 0 ? new BlockingAnswer(wait.Done) : answer);
        }
    }

    private CallOutcome Wait(BlockingWait wait)
    {
        var (from, to) = (From(wait.Call), To(wait.Call));
        if (!BlockingFd.IsWritable(to)) return wait.WaitFd(to, FdDirection.Write);
        return BlockingFd.IsReadable(from) ? wait.ParkForLook() : wait.WaitFd(from, FdDirection.Read);
    }

    private BlockingAnswer Try(NativeCall call, nint done)
    {
        Span<nint> arguments = stackalloc nint[NativeCall.Arguments];
        call.CopyTo(arguments);
        if (kind == Kind.SendFile) arguments[SendFileCount] = Math.Min(call[SendFileCount], Most) - done;
        else arguments[SpliceFlags] = call.Int(SpliceFlags) | NonBlocking;
        var (from, to) = (From(call), To(call));
        var (setFrom, setTo) = (Set(from), Set(to));
        var result = call.Invoke(arguments, out var errno);
        if (setFrom) BlockingFd.SetNonBlocking(from, false);
        if (setTo) BlockingFd.SetNonBlocking(to, false);
        return new BlockingAnswer(result, errno);
    }

    private static bool Set(int fd)
    {
        if (BlockingFd.IsNonBlocking(fd) || !(BlockingFd.IsPipe(fd) || BlockingFd.IsSocket(fd))) return false;
        BlockingFd.SetNonBlocking(fd, true);
        return true;
    }

    private static bool IsEitherNonBlocking(NativeCall call)
        => (!BlockingFd.IsReadable(call.Int(0)) && BlockingFd.IsNonBlocking(call.Int(0))) || (!BlockingFd.IsWritable(call.Int(2)) && BlockingFd.IsNonBlocking(call.Int(2)));

    private int From(NativeCall call) => call.Int(kind == Kind.SendFile ? 1 : 0);

    private int To(NativeCall call) => call.Int(kind == Kind.SendFile ? 0 : 2);
}
