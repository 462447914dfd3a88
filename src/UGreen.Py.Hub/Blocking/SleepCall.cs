using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary><c>clock_nanosleep</c>, <c>nanosleep</c>, <c>usleep</c>, <c>sleep</c>. Sleeping for no time lets the others run.</summary>
internal sealed class SleepCall(string name, SleepCall.Kind kind) : BlockingFunction(name)
{
    /// <summary>Its arguments.</summary>
    internal enum Kind
    {
        /// <summary>A clock, flags, a time.</summary>
        Clock,

        /// <summary>A time.</summary>
        Time,

        Microseconds,
        Seconds,
    }

    private const int Absolute = 1;

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        answer = default;
        var isGood = kind switch
        {
            Kind.Clock => CTime.IsClock(call.Int(0)) && call[2] != 0 && CTime.IsValid(call[2]),
            Kind.Time => call[0] != 0 && CTime.IsValid(call[0]),
            _ => true,
        };
        if (isGood) return false;
        var result = call.Invoke(out var errno);
        answer = new BlockingAnswer(result, errno);
        return true;
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        var call = wait.Call;
        var time = kind switch
        {
            Kind.Clock => (call.Int(1) & Absolute) == 0 ? CTime.Nanoseconds(call[2]) : CTime.TryUntil(call.Int(0), call[2], out var left) ? left : 0,
            Kind.Time => CTime.Nanoseconds(call[0]),
            Kind.Microseconds => (uint)call.Int(0) * 1_000L,
            _ => (uint)call.Int(0) * 1_000_000_000L,
        };
        if (time <= 0) return wait.LetOthersRun(WakeCause.Timeout);
        wait.SetLimit(time);
        return wait.Park();
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause) => wait.Answer(new BlockingAnswer(0));

    // clock_nanosleep() returns its error; sleep() the seconds that were left, rounded up.
    /// <inheritdoc/>
    public override BlockingAnswer Signalled(BlockingWait wait)
    {
        var call = wait.Call;
        var rest = kind switch
        {
            Kind.Clock when (call.Int(1) & Absolute) == 0 => call[3],
            Kind.Time => call[1],
            _ => 0,
        };
        if (rest != 0) CTime.Write(rest, wait.Left);
        return kind switch
        {
            Kind.Clock => new BlockingAnswer(Errno.EINTR),
            Kind.Seconds => new BlockingAnswer((nint)((wait.Left + 999_999_999) / 1_000_000_000)),
            _ => BlockingAnswer.Error(Errno.EINTR),
        };
    }

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => new(0);
}
