using System.Diagnostics;
using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>A plain blocking wait, for OS threads that are not the hub and therefore may block.</summary>
public static unsafe class FdWait
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>poll(2). A signal does not end the wait: it goes on with the time that is left.</summary>
    /// <param name="fds">What to wait for; <see cref="PollFd.Returned"/> is filled in. May be empty: then it only waits.</param>
    /// <param name="timeoutNanoseconds">-1 waits without end, 0 only looks.</param>
    /// <returns>How many entries have something in <see cref="PollFd.Returned"/>; 0 after the time-out.</returns>
    /// <exception cref="LinuxException">poll failed.</exception>
    public static int Poll(Span<PollFd> fds, long timeoutNanoseconds)
    {
        long start = Stopwatch.GetTimestamp();
        long left = timeoutNanoseconds;

        // SAFETY: the span is pinned for the whole loop and its length is what the kernel is told.
        fixed (PollFd* first = fds)
        {
            while (true)
            {
                Timespec timeout = new(Math.Max(0, left));
                int count = Libc.ppoll(first, (nuint)fds.Length, timeoutNanoseconds < 0 ? null : &timeout, 0);
                if (count >= 0) return count;
                int errno = Marshal.GetLastPInvokeError();
                if (errno != Errno.EINTR) throw new LinuxException("ppoll", errno);
                left = timeoutNanoseconds - (long)(Stopwatch.GetElapsedTime(start).TotalSeconds * NanosecondsPerSecond);
            }
        }
    }

    /// <summary>As <see cref="Poll(Span{PollFd}, long)"/> for one descriptor. Returns what happened to it, or 0 after the time-out.</summary>
    /// <param name="fd">The descriptor.</param>
    /// <param name="events"><see cref="PollFd.In"/>, <see cref="PollFd.Out"/>.</param>
    /// <param name="timeoutNanoseconds">-1 waits without end, 0 only looks.</param>
    public static short Poll(int fd, short events, long timeoutNanoseconds)
    {
        PollFd one = new() { Fd = fd, Events = events };
        _ = Poll(new Span<PollFd>(ref one), timeoutNanoseconds);
        return one.Returned;
    }
}
