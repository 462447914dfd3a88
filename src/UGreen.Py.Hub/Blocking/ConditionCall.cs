using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// <c>pthread_cond_wait</c>, <c>pthread_cond_timedwait</c>, <c>pthread_cond_clockwait</c>. The hub lets go of the mutex and waits; the stub takes the mutex again, on the green stack, so that
/// this wait for it is as any other. An answer below 0 is an error with which the mutex was not let go.
/// <para>One that processes share is signalled by some that tell nobody here: its waiters look again and again at what they wait for.</para>
/// </summary>
/// <param name="name">The function.</param>
/// <param name="kind">Its arguments.</param>
internal sealed class ConditionCall(string name, ConditionCall.Kind kind) : BlockingFunction(name)
{
    /// <summary>What it takes besides the condition variable and the mutex.</summary>
    internal enum Kind
    {
        Endless,

        /// <summary>A moment on the condition variable's own clock.</summary>
        Timed,

        /// <summary>A clock, and a moment on it.</summary>
        Clock,
    }

    private const int Mutex = 1;
    private const long LookEvery = 5_000_000;

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        answer = new BlockingAnswer(-Errno.EINVAL);
        return kind != Kind.Endless && !(CTime.HasNanoseconds(Moment(call)) && ClockOf(call) is CTime.RealTime or CTime.Monotonic);
    }

    /// <inheritdoc/>
    public override void Prepare(BlockingWait wait)
    {
        var condition = wait.Call[0];
        if (!ConditionKind.IsShared(condition)) wait.Calls.Conditions.Add(wait, condition);
        wait.PoolAnswer = new BlockingAnswer(-Libc.pthread_mutex_unlock(wait.Call[Mutex]));
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        if (wait.PoolAnswer.Result < 0)
        {
            Abandon(wait);
            return wait.Answer(wait.PoolAnswer);
        }

        wait.Calls.Mutexes.Grant(wait.Call[Mutex]);
        if (kind != Kind.Endless)
        {
            if (!CTime.TryUntil(ClockOf(wait.Call), Moment(wait.Call), out var left) || left <= 0)
            {
                Abandon(wait);
                wait.SetLimit(0);
                return wait.LetOthersRun(WakeCause.Timeout);
            }

            wait.SetLimit(left);
        }

        if (wait.Address != 0) return wait.Park();
        return wait.SuspendFor(LookEvery);
    }

    // Without a signal and before its time it is a look at one that is shared.
    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause)
        => wait.Answer(new BlockingAnswer(cause != WakeCause.Released && wait.Left == 0 ? Errno.ETIMEDOUT : 0));

    /// <inheritdoc/>
    public override void Abandon(BlockingWait wait) => wait.Calls.Conditions.Remove(wait);

    // Without a time limit there is no error that callers reckon with. They look at their condition, wait again, and are not ended again.
    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait)
    {
        if (wait.PoolAnswer.Result < 0) return wait.PoolAnswer;
        wait.Calls.Mutexes.Grant(wait.Call[Mutex]);
        return new BlockingAnswer(kind == Kind.Endless ? 0 : Errno.ETIMEDOUT);
    }

    /// <inheritdoc/>
    public override BlockingAnswer Signalled(BlockingWait wait) => new(0);

    private int ClockOf(NativeCall call) => kind == Kind.Clock ? call.Int(2) : ConditionKind.Clock(call[0]);

    private nint Moment(NativeCall call) => call[kind == Kind.Clock ? 3 : 2];
}
