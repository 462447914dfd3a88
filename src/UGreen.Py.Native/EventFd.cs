using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>
/// A counter in the kernel that wakes an epoll wait: non-blocking, close-on-exec. <see cref="Signal"/> may be called from any thread, also while another one disposes.
/// <para>
/// Invariant: the descriptor is closed once, by whoever comes last: <see cref="Dispose"/>, or a sender that was in it then. Closed under a sender, the number could be another
/// file's by the time of his write, which would get the eight bytes.
/// </para>
/// </summary>
public sealed unsafe class EventFd : IDisposable
{
    private const int Closing = 1 << 30;

    private int _fd;

    // How many senders are in it; with Closing, nobody enters any more. Two interlocked additions beside a system call.
    private int _senders;

    /// <exception cref="LinuxException">No descriptor could be had.</exception>
    public EventFd()
    {
        _fd = Libc.eventfd(0, Libc.EventFdFlags.CloseOnExec | Libc.EventFdFlags.NonBlocking);
        if (_fd < 0) throw LinuxException.Last("eventfd");
        OwnDescriptors.Add(_fd);
    }

    /// <summary>The descriptor, readable while signals are pending; -1 after Dispose.</summary>
    public int Fd => (Volatile.Read(ref _senders) & Closing) == 0 ? _fd : -1;

    /// <summary>Makes the descriptor readable. After Dispose it does nothing: a late sender has nobody to wake.</summary>
    /// <exception cref="LinuxException">The write failed for another reason than a full counter.</exception>
    public void Signal()
    {
        try
        {
            if ((Interlocked.Increment(ref _senders) & Closing) == 0) Write(_fd);
        }
        finally
        {
            if (Interlocked.Decrement(ref _senders) == Closing) Close();
        }
    }

    /// <summary>As <see cref="Signal"/>, at once or at the end of this thread's <see cref="SignalBatch"/>.</summary>
    public void SignalSoon()
    {
        if (!SignalBatch.TryHold(this)) Signal();
    }

    public void Dispose()
    {
        if (Interlocked.Or(ref _senders, Closing) == 0) Close();
    }

    private static void Write(int fd)
    {
        ulong one = 1;

        // SAFETY: eight bytes of this frame are read.
        while (Libc.write(fd, &one, sizeof(ulong)) < 0)
        {
            int errno = Marshal.GetLastPInvokeError();

            // EAGAIN: the counter is full, so the descriptor is readable, which is all that was wanted.
            if (errno == Errno.EAGAIN) return;
            if (errno != Errno.EINTR) throw new LinuxException("write(eventfd)", errno);
        }
    }

    // Late senders come and go after it; each finds it done.
    private void Close()
    {
        int fd = Interlocked.Exchange(ref _fd, -1);
        if (fd < 0) return;
        OwnDescriptors.Remove(fd);
        _ = Libc.close(fd);
    }
}
