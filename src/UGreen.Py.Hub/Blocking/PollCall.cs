using System.Runtime.InteropServices;
using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// <c>poll</c> and <c>ppoll</c>: waits for all descriptors at once, then lets the call itself say what happened. Events that epoll is not asked for here (urgent data, a hang-up alone) are looked
/// for again and again.
/// </summary>
internal sealed class PollCall(string name, bool isFine) : BlockingFunction(name)
{
    private const int Time = 2;
    private const int EntryBytes = 8;
    private const int EntryEvents = 4;
    private const int ReadEvents = 0x1 | 0x40; // POLLIN, POLLRDNORM
    private const int WriteEvents = 0x4 | 0x100; // POLLOUT, POLLWRNORM
    private const int EntryReturned = 6;
    private const short Invalid = 0x20; // POLLNVAL
    private const long LookEvery = 20_000_000;

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
        return Wait(wait);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause)
    {
        var result = Look(wait.Call, out var errno);
        return result != 0 || wait.Left == 0 ? wait.Answer(new BlockingAnswer(result, errno)) : Wait(wait);
    }

    /// <inheritdoc/>
    public override CallOutcome Closed(BlockingWait wait)
    {
        var call = wait.Call;
        var found = 0;
        for (nint i = 0; i < call[1]; i++)
        {
            var entry = call[0] + (i * EntryBytes);
            var isIt = NativeCall.Read32(entry) == wait.Green.OneWait.ReadyFd;
            Marshal.WriteInt16(entry + EntryReturned, isIt ? Invalid : (short)0);
            if (isIt) found++;
        }

        return wait.Answer(new BlockingAnswer(found));
    }

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait)
    {
        var call = wait.Call;
        if (call[1] != 1 || TimeOf(call) >= 0 || !GivenUpConnection.TryBreak(call, NativeCall.Read32(call[0]))) return new(0);
        var result = Look(call, out var errno);
        return new BlockingAnswer(result, errno);
    }

    /// <inheritdoc/>
    public override string Describe(NativeCall call) => call[1] == 1 ? $"{Name} on {Native.DescriptorName.Of(NativeCall.Read32(call[0]))}" : $"{Name} on {call[1]} descriptors";

    private static CallOutcome Wait(BlockingWait wait)
    {
        var call = wait.Call;
        var set = wait.Green.OneWait;
        var mustLook = false;
        for (nint i = 0; i < call[1]; i++)
        {
            var entry = call[0] + (i * EntryBytes);
            var fd = NativeCall.Read32(entry);
            if (fd < 0) continue;
            var events = Marshal.ReadInt16(entry + EntryEvents);
            mustLook |= (events & (ReadEvents | WriteEvents)) == 0;
            if ((events & ReadEvents) != 0) mustLook |= set.AddFd(fd, FdDirection.Read, 0) != 0;
            if ((events & WriteEvents) != 0) mustLook |= set.AddFd(fd, FdDirection.Write, 0) != 0;
        }

        return wait.SuspendFor(mustLook ? LookEvery : -1);
    }

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
