using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// <c>recvmmsg</c> and <c>sendmmsg</c>: message after message, until all are done. A time limit of <c>recvmmsg</c> counts once there is a message, as in Linux, but also while the next one is
/// waited for.
/// </summary>
internal sealed class MessagesCall(string name, FdDirection direction) : BlockingFunction(name)
{
    private const int EntryBytes = 64; // struct mmsghdr: a struct msghdr, and how long the message is
    private const int EntryLength = 56;
    private const int Messages = 2;
    private const int Flags = 3;
    private const int Time = 4;
    private const int DontWait = 0x40;
    private const int WaitForOne = 0x10000;
    private const int Most = 1024; // UIO_MAXIOV

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        answer = BlockingAnswer.Error(Errno.EINVAL);
        if (HasTime(call) && !CTime.IsValid(call[Time])) return true;
        if ((call.Int(Flags) & DontWait) == 0 && !BlockingFd.IsNonBlocking(call.Int(0))) return false;
        var result = (int)call.Invoke(out var errno);
        answer = new BlockingAnswer(result, errno);
        return true;
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        if (HasTime(wait.Call)) wait.SetLimit(CTime.Nanoseconds(wait.Call[Time]));
        else if (SocketTime(wait.Call.Int(0)) is > 0 and var time) wait.SetLimit(time);
        return Go(wait);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause) => Go(wait);

    /// <inheritdoc/>
    public override CallOutcome Closed(BlockingWait wait) => wait.Answer(Finish(wait, Errno.EBADF));

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => Finish(wait, Errno.ECONNABORTED);

    /// <inheritdoc/>
    public override BlockingAnswer Signalled(BlockingWait wait) => Finish(wait, Errno.EINTR);

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => $"{Name} on fd {call.Int(0)}";

    private CallOutcome Go(BlockingWait wait)
    {
        var call = wait.Call;
        var count = Math.Min((uint)call.Int(Messages), Most);
        while (wait.Done < (nint)count)
        {
            var result = direction == FdDirection.Read ? Receive(call, wait.Done, out var errno) : Send(wait, call[1] + (wait.Done * EntryBytes), out errno);
            if (result > 0) wait.Done += result;
            if (result < 0 && errno != Errno.EAGAIN) return wait.Answer(Finish(wait, errno));
            var isOver = HasTime(call) ? wait.Done > 0 && (wait.Left == 0 || wait.Due == long.MaxValue) : wait.Left == 0;
            if (result < 0 && !isOver && !IsOne(wait)) return Wait(wait);
            if (result == 0 || isOver || IsOne(wait)) return wait.Answer(Finish(wait, errno));
        }

        return wait.Answer(Finish(wait, 0));
    }

    private CallOutcome Wait(BlockingWait wait)
    {
        // Its own limit is over and there is no message: Linux waits for the first one, however long.
        if (wait.Left == 0) wait.Due = long.MaxValue;
        return wait.WaitFd(wait.Call.Int(0), direction);
    }

    private bool IsOne(BlockingWait wait) => direction == FdDirection.Read && wait.Done > 0 && (wait.Call.Int(Flags) & WaitForOne) != 0;

    private BlockingAnswer Finish(BlockingWait wait, int errno)
    {
        if (wait.Done == 0 && errno != 0) return BlockingAnswer.Error(errno);
        if (HasTime(wait.Call)) CTime.Write(wait.Call[Time], Math.Max(0, wait.Left));
        return new BlockingAnswer(wait.Done);
    }

    private static nint Receive(NativeCall call, nint done, out int errno)
    {
        Span<nint> arguments = stackalloc nint[NativeCall.Arguments];
        call.CopyTo(arguments);
        arguments[1] += done * EntryBytes;
        arguments[Messages] = (nint)Math.Min((uint)call.Int(Messages), Most) - done;
        arguments[Flags] = call.Int(Flags) | DontWait;
        arguments[Time] = 0;
        return (int)call.Invoke(arguments, out errno);
    }

    // A message that a stream has taken in part goes on where it was. 1: it is sent.
    private static nint Send(BlockingWait wait, nint entry, out int errno)
    {
        var (fd, flags) = (wait.Call.Int(0), wait.Call.Int(Flags));
        var total = CallerVector.OfMessage(entry).Total;
        while (true)
        {
            var sent = wait.Part == 0 ? CallerVector.SendMessage(fd, entry, flags, out errno) : CallerVector.OfMessage(entry).SendRest(fd, wait.Part, flags, out errno);
            if (sent < 0) return -1;
            wait.Part += sent;
            System.Runtime.InteropServices.Marshal.WriteInt32(entry + EntryLength, (int)wait.Part);
            if (wait.Part < total) continue;
            wait.Part = 0;
            return 1;
        }
    }

    private bool HasTime(NativeCall call) => direction == FdDirection.Read && call[Time] != 0;

    private long SocketTime(int fd) => direction == FdDirection.Read ? BlockingFd.ReadTime(fd) : BlockingFd.WriteTime(fd);
}
