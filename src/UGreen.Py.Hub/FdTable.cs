using UGreen.Py.Native;

namespace UGreen.Py.Hub;

/// <summary>
/// Green threads that wait for file descriptors, over epoll. Belongs to the hub thread.
/// <para>Facts about epoll that this relies on:</para>
/// <list type="bullet">
/// <item>An entry of the set is keyed by (fd number, open file), not by the number. Closing the last descriptor of the file removes the entry silently; closing one of
/// several (dup, a forked child) leaves it there, and it goes on reporting under the old number.</item>
/// <item>With EPOLLONESHOT an entry reports once and stays in the set disarmed; EPOLL_CTL_MOD arms it again. A wait on an fd seen before thus costs one system call,
/// and an entry that nobody waits on costs nothing.</item>
/// <item>EPOLL_CTL_MOD answers ENOENT when the number now means another file, EPERM when that file is always ready, EBADF when the number is closed: that is how a closed
/// and reused fd is noticed. So every registration makes the call, even when the mask would not change.</item>
/// <item>EPOLL_CTL_ADD and EPOLL_CTL_MOD answer EPERM for files that are always ready (regular files, directories).</item>
/// <item>EPOLLERR and EPOLLHUP are always reported; both mean that neither reading nor writing would block.</item>
/// </list>
/// <para>
/// Several green threads may wait on one fd, and one green thread may wait on several, for reading and writing at once. All waiters of a direction are woken.
/// An event whose generation is not the entry's is of a file that is gone: it is dropped.
/// </para>
/// </summary>
public sealed class FdTable(Epoll epoll)
{
    private const uint ReadMask = EpollEvents.In | EpollEvents.RdHup;
    private const uint WriteMask = EpollEvents.Out;

    // 2^20 is the usual hard limit of fs.nr_open; the table grows with the numbers seen and never past this.
    private const int MaxFd = 1 << 20;

    private FdEntry?[] _entries = new FdEntry?[256];

    /// <summary>
    /// Links the registration and arms the fd. Returns 0 or the errno (EBADF, ENOMEM, ENOSPC …); after an error nothing is left behind. A file that is always ready
    /// is reported as fired at once, without a callback.
    /// </summary>
    public int Register(FdRegistration r, int fd, FdDirection direction)
    {
        if (fd is < 0 or >= MaxFd) return Errno.EBADF;
        r.Fd = fd;
        r.Direction = direction;
        r.Fired = r.IsClosed = false;
        Watch?.Invoke(fd);
        var entry = EntryOf(fd);
        entry.Link(r);
        var error = Arm(entry, registering: r);
        if (error == 0) return 0;
        if (r.Entry is not null) entry.Unlink(r);
        if (error != Errno.EPERM) return error;
        r.Fired = true;
        return 0;
    }

    /// <summary>Takes back a registration that has not fired. The fd stays armed: at worst one event comes that nobody waits for.</summary>
    public static void Unregister(FdRegistration r) => r.Entry?.Unlink(r);

    /// <summary>Called before each wait that begins, with its fd. Whoever hears of closed descriptors says here what has been heard so far, so that no wait for a new file ends with the old.</summary>
    internal Action<int>? Watch { get; set; }

    /// <summary>The fd was closed: whoever waits for it would wait for ever, or for another file.</summary>
    public void Closed(int fd)
    {
        if (fd < _entries.Length && _entries[fd] is { HasWaiters: true } entry) WakeAll(entry, isClosed: true);
    }

    /// <summary>Any fd may have been closed.</summary>
    public void LookForClosed()
    {
        foreach (var entry in _entries)
        {
            if (entry is { HasWaiters: true } && Arm(entry) != 0) WakeAll(entry, isClosed: true);
        }
    }

    /// <summary>Acts on one event of epoll_wait.</summary>
    public void Dispatch(EpollEvent e)
    {
        var fd = (int)(uint)e.Data;
        if (fd >= _entries.Length || _entries[fd] is not { } entry || entry.Generation != (uint)(e.Data >> 32)) return;

        const uint Both = EpollEvents.Err | EpollEvents.Hup;
        if ((e.Events & (ReadMask | Both)) != 0) Fire(entry, FdDirection.Read);
        if ((e.Events & (WriteMask | Both)) != 0) Fire(entry, FdDirection.Write);
        if (!entry.HasWaiters) return;

        // The other direction is still wanted, and one-shot has disarmed both. If the fd is gone its waiters learn that from their own next system call.
        if (Arm(entry) != 0) WakeAll(entry);
    }

    private FdEntry EntryOf(int fd)
    {
        if (fd >= _entries.Length) Array.Resize(ref _entries, (int)Math.Min(MaxFd, Math.Max(fd + 1L, _entries.Length * 2L)));
        return _entries[fd] ??= new FdEntry(fd);
    }

    /// <summary>Arms what the entry's waiters want; 0 or the errno. When the number turns out to mean another file, all but <paramref name="registering"/> are woken.</summary>
    private int Arm(FdEntry entry, FdRegistration? registering = null)
    {
        if (entry.InEpoll)
        {
            var error = epoll.Modify(entry.Fd, Mask(entry), Data(entry));
            if (error is not (Errno.ENOENT or Errno.EPERM or Errno.EBADF)) return error;

            // Another file than the waiters meant, or none: only a registration that is being made now is of the file that the number means now.
            entry.InEpoll = false;
            WakeAll(entry, registering, isClosed: true);
            if (error != Errno.ENOENT) return error;
            if (!entry.HasWaiters) return 0;
        }

        entry.Generation++;
        var added = epoll.Add(entry.Fd, Mask(entry), Data(entry));
        if (added == Errno.EEXIST) added = epoll.Modify(entry.Fd, Mask(entry), Data(entry));
        entry.InEpoll = added == 0;
        return added;
    }

    private static uint Mask(FdEntry entry) => EpollEvents.OneShot | (entry.Readers is null ? 0 : ReadMask) | (entry.Writers is null ? 0 : WriteMask);

    private static void WakeAll(FdEntry entry, FdRegistration? except = null, bool isClosed = false)
    {
        Fire(entry, FdDirection.Read, except, isClosed);
        Fire(entry, FdDirection.Write, except, isClosed);
    }

    private static void Fire(FdEntry entry, FdDirection direction, FdRegistration? except = null, bool isClosed = false)
    {
        var r = direction == FdDirection.Read ? entry.Readers : entry.Writers;
        while (r is not null)
        {
            var next = r.Next;
            if (r != except && r.Entry is not null)
            {
                entry.Unlink(r);
                r.Fired = true;
                r.IsClosed = isClosed;
                r.Waiter.FdReady(r);

                // The callback may unlink others of this list (all waits of the woken green thread end): start over, the list only gets shorter.
                next = direction == FdDirection.Read ? entry.Readers : entry.Writers;
                if (next == except && next is not null) next = next.Next;
            }

            r = next;
        }
    }

    private static ulong Data(FdEntry entry) => (uint)entry.Fd | ((ulong)entry.Generation << 32);
}
