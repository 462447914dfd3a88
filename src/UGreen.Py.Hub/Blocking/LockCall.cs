using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// <c>sem_wait</c>, <c>sem_timedwait</c>, <c>sem_clockwait</c> (CPython's locks up to 3.13 are semaphores) and <c>pthread_mutex_lock</c>.
/// A semaphore that processes share may be posted by one that tells nobody here, so that is looked at again and again.
/// </summary>
/// <param name="name">The function.</param>
/// <param name="kind">Its arguments.</param>
internal sealed class LockCall(string name, LockCall.Kind kind) : BlockingFunction(name)
{
    /// <summary>What it takes besides the address.</summary>
    internal enum Kind
    {
        Semaphore,

        /// <summary>A moment on the real-time clock.</summary>
        TimedSemaphore,

        /// <summary>A clock, and a moment on it.</summary>
        ClockSemaphore,
        Mutex,
    }

    // glibc: struct new_sem { uint64_t data; int private; int pad; }, where private is not 0 for processes; struct __pthread_mutex_s has its kind behind lock, count, owner and nusers.
    private const int SemaphoreShared = 8;
    private const int MutexKind = 16;
    private const int KindBits = 3;
    private const int ErrorChecking = 2;

    /// <inheritdoc/>
    public override bool TryAtOnce(NativeCall call, out BlockingAnswer answer)
    {
        answer = new BlockingAnswer(0);
        if (kind == Kind.Mutex)
        {
            // That kind knows that its owner asks again, and says so.
            if ((NativeCall.Read32(call[0] + MutexKind) & KindBits) != ErrorChecking) return false;
            answer = new BlockingAnswer(call.Invoke(out _));
            return true;
        }

        if (Libc.sem_trywait(call[0]) == 0) return true;
        if (kind == Kind.Semaphore || CTime.HasNanoseconds(Moment(call))) return false;
        answer = BlockingAnswer.Error(Errno.EINVAL);
        return true;
    }

    /// <inheritdoc/>
    public override CallOutcome Begin(BlockingWait wait)
    {
        if (kind is Kind.TimedSemaphore or Kind.ClockSemaphore)
        {
            if (!CTime.TryUntil(kind == Kind.ClockSemaphore ? wait.Call.Int(1) : CTime.RealTime, Moment(wait.Call), out var left)) return wait.AnswerByCall();
            if (left <= 0) return wait.Answer(TimedOut);
            wait.SetLimit(left);
        }

        if (IsShared(wait)) return wait.ParkForLook();
        if (!Waiters(wait).Add(wait, wait.Call[0])) return wait.Answer(new BlockingAnswer(0));
        return kind == Kind.Mutex ? wait.ParkFirmly() : wait.Park();
    }

    /// <inheritdoc/>
    public override CallOutcome Continue(BlockingWait wait, WakeCause cause)
    {
        if (cause == WakeCause.Released || Libc.sem_trywait(wait.Call[0]) == 0) return wait.Answer(new BlockingAnswer(0));
        return wait.Left == 0 ? wait.Answer(TimedOut) : wait.ParkForLook();
    }

    /// <inheritdoc/>
    public override void Abandon(BlockingWait wait) => Waiters(wait).Remove(wait);

    // No caller of pthread_mutex_lock() reckons with its failing.
    /// <inheritdoc/>
    public override bool CanEndSoftly => kind != Kind.Mutex;

    /// <inheritdoc/>
    public override BlockingAnswer EndedSoftly(BlockingWait wait) => BlockingAnswer.Error(Errno.EINTR);

    /// <summary>What a parked green thread waits for.</summary>
    public LockWait Wait(BlockingWait wait)
    {
        var address = wait.Call[0];
        return kind == Kind.Mutex
            ? new LockWait(address, IsMutex: true, IsShared: false, IsTimed: false, wait.Number, RecursiveMutex.CoreOf(address), wait.Calls.Mutexes.HeldBefore(address))
            : new LockWait(address, IsMutex: false, IsShared(wait), wait.Due != long.MaxValue, wait.Number, Owner: 0, HeldBefore: 0);
    }

    private static BlockingAnswer TimedOut => BlockingAnswer.Error(Errno.ETIMEDOUT);

    private LockWaiters Waiters(BlockingWait wait) => kind == Kind.Mutex ? wait.Calls.Mutexes : wait.Calls.Semaphores;

    private bool IsShared(BlockingWait wait) => kind != Kind.Mutex && NativeCall.Read32(wait.Call[0] + SemaphoreShared) != 0;

    private nint Moment(NativeCall call) => call[kind == Kind.ClockSemaphore ? 2 : 1];
}
