using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>select</c> and <c>pselect</c>: as <see cref="PollCall"/>.</summary>
internal sealed class SelectCall(string name, bool isFine) : BlockingFunction(name)
{
    private const int Time = 4;
    private const long LookEvery = 20_000_000;

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        answer = default;
        if (!TryTime(call, out var time)) answer = BlockingAnswer.Error(Errno.EINVAL);
        else if (Sets(call).Look(out var errno) is not 0 and var result) answer = result < 0 ? BlockingAnswer.Error(errno) : new BlockingAnswer(result);
        else if (time == 0 && call.Int(0) > 0) Sets(call).Clear();
        else return false;
        return true;
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        if (TryTime(wait.Call, out var time) && time >= 0) wait.SetLimit(time);

        // Sleeping for no time, by a call that other systems have too.
        if (time == 0) return wait.LetOthersRun(WakeCause.Timeout);
        return Wait(wait);
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause)
    {
        var sets = Sets(wait.Call);
        var result = sets.Look(out var errno);
        if (result != 0) return wait.Answer(result < 0 ? BlockingAnswer.Error(errno) : new BlockingAnswer(result));
        if (wait.Left != 0) return Wait(wait);
        sets.Clear();
        return wait.Answer(new BlockingAnswer(0));
    }

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait)
    {
        var sets = Sets(wait.Call);
        if (wait.Call[Time] == 0 && OnlyOne(sets, wait.Call.Int(0)) is >= 0 and var fd && GivenUpConnection.TryBreak(wait.Call, fd) && sets.Look(out _) is > 0 and var result) return new BlockingAnswer(result);
        sets.Clear();
        return new BlockingAnswer(0);
    }

    private static SelectSets Sets(NativeCall call) => new(call.Int(0), call[1], call[2], call[3]);

    private static CallOutcome Wait(BlockingWait wait)
    {
        var sets = Sets(wait.Call);
        var set = wait.Green.OneWait;
        var mustLook = false;
        for (var fd = 0; fd < wait.Call.Int(0); fd++)
        {
            if (sets.IsRead(fd)) mustLook |= set.AddFd(fd, FdDirection.Read, 0) != 0;
            if (sets.IsWrite(fd)) mustLook |= set.AddFd(fd, FdDirection.Write, 0) != 0;
            mustLook |= sets.IsExcept(fd);
        }

        return wait.SuspendFor(mustLook ? LookEvery : -1);
    }

    // The only descriptor; -1: there are others.
    private static int OnlyOne(SelectSets sets, int count)
    {
        var only = -1;
        for (var fd = 0; fd < count; fd++)
        {
            if (!sets.IsRead(fd) && !sets.IsWrite(fd) && !sets.IsExcept(fd)) continue;
            if (only >= 0) return -1;
            only = fd;
        }

        return only;
    }

    /// <summary>False: it is none. Nanoseconds; negative: no limit.</summary>
    private bool TryTime(NativeCall call, out long time)
    {
        time = -1;
        if (call[Time] == 0) return true;
        if (isFine && !CTime.IsValid(call[Time])) return false;
        time = (isFine ? CTime.Nanoseconds(call[Time]) : CTime.OfTimeval(call[Time])) ?? long.MinValue;
        return time >= 0;
    }
}
