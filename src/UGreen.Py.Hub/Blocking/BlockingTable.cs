using UGreen.Py.Machine;

namespace UGreen.Py.Hub.Blocking;

/// <summary>Which function is served by which class.</summary>
internal static class BlockingTable
{
    /// <summary>The functions in the order of their numbers.</summary>
    public static BlockingFunction[] For(IReadOnlyList<BlockingCall> calls, PreloadedStubs stubs) => [.. calls.Select(call => Make(call.Name, stubs))];

    private static BlockingFunction Make(string name, PreloadedStubs stubs) => name switch
    {
        "sem_wait" => new LockCall(name, LockCall.Kind.Semaphore),
        "sem_timedwait" => new LockCall(name, LockCall.Kind.TimedSemaphore),
        "sem_clockwait" => new LockCall(name, LockCall.Kind.ClockSemaphore),
        "pthread_mutex_lock" => new LockCall(name, LockCall.Kind.Mutex),
        "clock_nanosleep" => new SleepCall(name, SleepCall.Kind.Clock),
        "nanosleep" => new SleepCall(name, SleepCall.Kind.Time),
        "usleep" => new SleepCall(name, SleepCall.Kind.Microseconds),
        "sleep" => new SleepCall(name, SleepCall.Kind.Seconds),
        "poll" or "__poll_chk" => new PollCall(name, isFine: false),
        "ppoll" or "__ppoll_chk" => new PollCall(name, isFine: true),
        "select" => new SelectCall(name, isFine: false),
        "pselect" => new SelectCall(name, isFine: true),
        "epoll_wait" or "epoll_pwait" => new EpollCall(name, isFine: false),
        "epoll_pwait2" => new EpollCall(name, isFine: true),
        "recv" or "recvfrom" => new TransferCall(name, FdDirection.Read, flags: 3),
        "__recv_chk" or "__recvfrom_chk" => new TransferCall(name, FdDirection.Read, flags: 4),
        "recvmsg" => new MessageCall(name, FdDirection.Read),
        "send" or "sendto" => new TransferCall(name, FdDirection.Write, flags: 3),
        "sendmsg" => new MessageCall(name, FdDirection.Write),
        "read" => new ReadyCall(name, stubs),
        "readv" => new ReadyCall(name, stubs, isVector: true),
        "__read_chk" or "accept" or "accept4" => new ReadyCall(name),
        "write" => new WriteCall(name, stubs),
        "writev" => new VectorWriteCall(name),
        "connect" => new ConnectCall(name),
        "waitpid" or "wait4" => new ChildCall(name, pid: 0, options: 2),
        "wait" or "wait3" => new ChildCall(name, pid: -1, options: name == "wait" ? -1 : 1),
        "waitid" => new ChildIdCall(name),
        "flock" => new FileLockCall(name),
        "fcntl" or "fcntl64" => new RecordLockCall(name),
        "pthread_cond_wait" => new ConditionCall(name, ConditionCall.Kind.Endless),
        "pthread_cond_timedwait" => new ConditionCall(name, ConditionCall.Kind.Timed),
        "pthread_cond_clockwait" => new ConditionCall(name, ConditionCall.Kind.Clock),
        "pthread_join" => new JoinCall(name),
        "sendfile" or "sendfile64" => new CopyCall(name, CopyCall.Kind.SendFile),
        "splice" => new CopyCall(name, CopyCall.Kind.Splice),
        "recvmmsg" => new MessagesCall(name, FdDirection.Read),
        "sendmmsg" => new MessagesCall(name, FdDirection.Write),
        "sched_yield" => new YieldCall(name),
        "lockf" or "lockf64" => new FileLockCall(name),
        "getaddrinfo" => new AddressCall(name),
        _ => new PoolCall(name),
    };
}
