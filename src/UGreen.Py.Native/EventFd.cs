using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>A counter in the kernel that wakes an epoll wait: non-blocking, close-on-exec. <see cref="Signal"/> may be called from any thread.</summary>
public sealed unsafe class EventFd : IDisposable
{
    private int _fd;

    /// <exception cref="LinuxException">No descriptor could be had.</exception>
    public EventFd()
    {
        _fd = Libc.eventfd(0, Libc.EventFdFlags.CloseOnExec | Libc.EventFdFlags.NonBlocking);
        if (_fd < 0) throw LinuxException.Last("eventfd");
        OwnDescriptors.Add(_fd);
    }

    /// <summary>The descriptor, readable while signals are pending; -1 after Dispose.</summary>
    public int Fd => _fd;

    /// <summary>Makes the descriptor readable. After Dispose it does nothing: a late sender has nobody to wake.</summary>
    /// <exception cref="LinuxException">The write failed for another reason than a full counter.</exception>
    public void Signal()
    {
        ulong one = 1;
        int fd = _fd;
        if (fd < 0) return;

        // SAFETY: eight bytes of this frame are read.
        while (Libc.write(fd, &one, sizeof(ulong)) < 0)
        {
            int errno = Marshal.GetLastPInvokeError();

            // EAGAIN: the counter is full, so the descriptor is readable, which is all that was wanted.
            if (errno == Errno.EAGAIN) return;
            if (errno != Errno.EINTR) throw new LinuxException("write(eventfd)", errno);
        }
    }

    /// <summary>As <see cref="Signal"/>, at once or at the end of this thread's <see cref="SignalBatch"/>.</summary>
    public void SignalSoon()
    {
        if (!SignalBatch.TryHold(this)) Signal();
    }

    public void Dispose()
    {
        int fd = Interlocked.Exchange(ref _fd, -1);
        if (fd < 0) return;
        OwnDescriptors.Remove(fd);
        _ = Libc.close(fd);
    }
}
