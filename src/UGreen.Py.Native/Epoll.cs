using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>
/// One epoll instance. Add, Modify and Delete return 0 or the errno and never throw: what a refused descriptor means is for the caller to say
/// (a regular file gives EPERM and is simply always ready). They may be called from any thread; <see cref="Wait"/> belongs to one thread.
/// </summary>
public sealed unsafe class Epoll : IDisposable
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    // epoll_pwait2 is in Linux 5.11 and glibc 2.35; once one of them said no, it is not asked again.
    private static volatile bool s_subMillisecond = true;

    private int _fd;

    /// <exception cref="LinuxException">No descriptor could be had.</exception>
    public Epoll()
    {
        _fd = Libc.epoll_create1(Libc.EpollControl.CloseOnExec);
        if (_fd < 0) throw LinuxException.Last("epoll_create1");
        OwnDescriptors.Add(_fd);
    }

    /// <summary>The descriptor of the instance itself; -1 after Dispose.</summary>
    public int Fd => _fd;

    /// <summary>Starts watching a descriptor. Returns 0 or the errno (EEXIST, EPERM for a regular file, EBADF, ENOSPC …).</summary>
    public int Add(int fd, uint events, ulong data) => Control(Libc.EpollControl.Add, fd, events, data);

    /// <summary>Changes or re-arms a watch. Returns 0 or the errno (ENOENT when the descriptor is not watched).</summary>
    public int Modify(int fd, uint events, ulong data) => Control(Libc.EpollControl.Modify, fd, events, data);

    /// <summary>Stops watching. Returns 0 or the errno (ENOENT, EBADF: closed meanwhile, so the kernel forgot it already).</summary>
    public int Delete(int fd) => Control(Libc.EpollControl.Delete, fd, 0, 0);

    /// <summary>Waits for events.</summary>
    /// <param name="events">Room for at least one event.</param>
    /// <param name="timeoutNanoseconds">-1 waits without end, 0 only looks. Rounded up to milliseconds on kernels without epoll_pwait2.</param>
    /// <returns>How many events were written; 0 after the time-out and when a signal interrupted the wait.</returns>
    /// <exception cref="LinuxException">Any other error.</exception>
    public int Wait(Span<EpollEvent> events, long timeoutNanoseconds)
    {
        // SAFETY: the span is pinned for the whole call and its length is what the kernel is told.
        fixed (EpollEvent* first = events)
        {
            int count = s_subMillisecond && timeoutNanoseconds > 0
                ? WaitFine(first, events.Length, timeoutNanoseconds)
                : WaitCoarse(first, events.Length, timeoutNanoseconds);
            if (count >= 0) return count;
            int errno = Marshal.GetLastPInvokeError();
            return errno == Errno.EINTR ? 0 : throw new LinuxException("epoll_wait", errno);
        }
    }

    public void Dispose()
    {
        int fd = Interlocked.Exchange(ref _fd, -1);
        if (fd < 0) return;
        OwnDescriptors.Remove(fd);
        _ = Libc.close(fd);
    }

    private int Control(int operation, int fd, uint events, ulong data)
    {
        EpollEvent request = new() { Events = events, Data = data };

        // SAFETY: the kernel reads one event from this frame and keeps no pointer to it.
        return Libc.epoll_ctl(_fd, operation, fd, &request) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    private int WaitFine(EpollEvent* first, int room, long timeoutNanoseconds)
    {
        Timespec timeout = new(timeoutNanoseconds);
        try
        {
            // SAFETY: called by Wait with a pinned buffer of 'room' events; the timespec lives in this frame.
            int count = Libc.epoll_pwait2(_fd, first, room, &timeout, 0);
            if (count >= 0 || Marshal.GetLastPInvokeError() != Errno.ENOSYS) return count;
        }
        catch (EntryPointNotFoundException)
        {
            // An older glibc: the same as a kernel that answers ENOSYS.
        }

        s_subMillisecond = false;
        return WaitCoarse(first, room, timeoutNanoseconds);
    }

    // SAFETY: called by Wait with a pinned buffer of 'room' events.
    private int WaitCoarse(EpollEvent* first, int room, long timeoutNanoseconds) => Libc.epoll_wait(_fd, first, room, ToMilliseconds(timeoutNanoseconds));

    // Rounded up: a timer that wakes early would find nothing to do and spin until its time came.
    private static int ToMilliseconds(long nanoseconds) =>
        nanoseconds < 0 ? -1 : (int)Math.Min(int.MaxValue, (nanoseconds / NanosecondsPerMillisecond) + (nanoseconds % NanosecondsPerMillisecond == 0 ? 0 : 1));
}
