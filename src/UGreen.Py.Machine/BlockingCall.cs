namespace UGreen.Py.Machine;

/// <summary>A function of the C library that waits, and that waits green in a green thread.</summary>
/// <param name="Name">Its name in C.</param>
/// <param name="Try">What its stub does first.</param>
public sealed record BlockingCall(string Name, FirstTry Try = FirstTry.None)
{
    /// <summary>All of them. The index is the number by which a stub names its function to the hub.</summary>
    public static IReadOnlyList<BlockingCall> All { get; } =
    [
        new("sem_wait"),
        new("sem_timedwait"),
        new("sem_clockwait"),
        new("pthread_mutex_lock", FirstTry.Mutex),
        new("clock_nanosleep"),
        new("nanosleep"),
        new("usleep"),
        new("sleep"),
        new("poll", FirstTry.Poll),
        new("__poll_chk", FirstTry.Poll),
        new("ppoll"),
        new("__ppoll_chk"),
        new("select"),
        new("pselect"),
        new("epoll_wait", FirstTry.EpollWait),
        new("epoll_pwait", FirstTry.EpollWait),
        new("epoll_pwait2"),
        new("recv", FirstTry.Flags),
        new("__recv_chk"),
        new("recvfrom", FirstTry.Flags),
        new("__recvfrom_chk"),
        new("recvmsg", FirstTry.ThirdFlags),
        new("send", FirstTry.Send),
        new("sendto", FirstTry.Send),
        new("sendmsg"),
        new("read", FirstTry.Read),
        new("__read_chk", FirstTry.Readable),
        new("readv", FirstTry.Readable),
        new("write", FirstTry.Write),
        new("writev"),
        new("connect"),
        new("accept"),
        new("accept4"),
        new("waitpid"),
        new("wait"),
        new("wait3"),
        new("wait4"),
        new("waitid"),
        new("getaddrinfo"),
        new("getnameinfo"),
        new("gethostbyname_r"),
        new("gethostbyaddr_r"),
        new("flock"),
        new("lockf"),
        new("lockf64"),
        new("system"),
        new("pclose"),
    ];
}
