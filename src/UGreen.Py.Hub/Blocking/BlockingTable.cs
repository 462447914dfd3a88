using UGreen.Py.Machine;

namespace UGreen.Py.Hub.Blocking;

/// <summary>Which function is served by which class.</summary>
internal static class BlockingTable
{
    /// <summary>The functions in the order of their numbers.</summary>
    public static BlockingFunction[] For(IReadOnlyList<BlockingCall> calls) => [.. calls.Select(call => Make(call.Name))];

    private static BlockingFunction Make(string name) => name switch
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
        "recvmsg" => new TransferCall(name, FdDirection.Read, flags: 2),
        "send" or "sendto" => new TransferCall(name, FdDirection.Write, flags: 3),
        "sendmsg" => new TransferCall(name, FdDirection.Write, flags: 2),
        "read" or "__read_chk" or "readv" => new ReadyCall(name, FdDirection.Read),
        "accept" or "accept4" => new ReadyCall(name, FdDirection.Read),
        "write" => new WriteCall(name),
        "writev" => new ReadyCall(name, FdDirection.Write),
        "connect" => new ConnectCall(name),
        "waitpid" or "wait4" => new ChildCall(name, pid: 0, options: 2),
        "wait" or "wait3" => new ChildCall(name, pid: -1, options: name == "wait" ? -1 : 1),
        "waitid" => new ChildIdCall(name),
        "flock" => new FileLockCall(name),
        "lockf" or "lockf64" => new FileLockCall(name),
        "getaddrinfo" => new AddressCall(name),
        _ => new PoolCall(name),
    };
}
