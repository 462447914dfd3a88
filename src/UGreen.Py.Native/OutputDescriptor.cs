using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>Descriptors by their numbers, for those of the process itself (standard output and error), which C libraries and Python use as well.</summary>
public static unsafe class OutputDescriptor
{
    public const int StandardOutput = 1;
    public const int StandardError = 2;

    private const int LogMode = 0x1A0; // 0640: logs hold addresses and queries of clients

    /// <summary>Opens a file to append to, or makes it with mode 0640 (less the umask). Not inherited by programs that are started.</summary>
    /// <exception cref="LinuxException">It cannot be opened. A pipe that nobody reads is ENXIO; waiting for a reader would hang the start.</exception>
    public static int OpenForAppend(string path) => OpenForAppend(path, out _);

    /// <summary>The same.</summary>
    /// <param name="path">Its name.</param>
    /// <param name="isNew">There was nothing of this name; the file that is there now was made by this call.</param>
    /// <exception cref="LinuxException">As above.</exception>
    public static int OpenForAppend(string path, out bool isNew)
    {
        const int flags = Libc.OpenFlags.WriteOnly | Libc.OpenFlags.Create | Libc.OpenFlags.Append | Libc.OpenFlags.CloseOnExec | Libc.OpenFlags.NonBlocking | Libc.OpenFlags.NoTerminal;
        var fd = Libc.open(path, flags | Libc.OpenFlags.Exclusive, LogMode);
        isNew = fd >= 0;
        return isNew ? Blocking(fd) : Blocking(Libc.open(path, flags, LogMode));
    }

    private static int Blocking(int fd)
    {
        if (fd < 0) throw LinuxException.Last("open");
        // Only the opening must not block; Python and C expect writes that do.
        var flags = Libc.fcntl(fd, Libc.FileControl.GetFlags, 0);
        if (flags >= 0) _ = Libc.fcntl(fd, Libc.FileControl.SetFlags, flags & ~Libc.FileControl.NonBlocking);
        return fd;
    }

    /// <summary>
    /// Lets <paramref name="to"/> mean what <paramref name="from"/> means, in one step: a write in another thread goes whole to one or the other.
    /// </summary>
    /// <param name="from">An open descriptor.</param>
    /// <param name="to">The number to change.</param>
    /// <param name="isInherited">Programs that are started get it.</param>
    public static void Replace(int from, int to, bool isInherited)
    {
        if (Libc.dup3(from, to, isInherited ? 0 : Libc.OpenFlags.CloseOnExec) < 0) throw LinuxException.Last("dup3");
    }

    /// <summary>A second number for the same; not inherited.</summary>
    public static int Duplicate(int fd)
    {
        var copy = Libc.fcntl(fd, Libc.FileControl.DuplicateCloseOnExec, 3);
        return copy < 0 ? throw LinuxException.Last("fcntl") : copy;
    }

    public static void Close(int fd) => _ = Libc.close(fd);

    /// <summary>Writes as much as goes; waits while a pipe is full.</summary>
    /// <param name="fd">The descriptor.</param>
    /// <param name="bytes">What to write.</param>
    /// <param name="written">How much was written.</param>
    /// <returns>0, or the errno that ended it.</returns>
    public static int Write(int fd, ReadOnlySpan<byte> bytes, out int written)
    {
        written = 0;
        // SAFETY: the span is pinned while C reads it, and its length is what C is told.
        fixed (byte* first = bytes)
        {
            while (written < bytes.Length)
            {
                var count = Libc.write(fd, first + written, (nuint)(bytes.Length - written));
                if (count >= 0)
                {
                    written += (int)count;
                    continue;
                }

                var errno = Marshal.GetLastPInvokeError();
                // Somebody else who shares the pipe may have made it non-blocking.
                if (errno == Errno.EAGAIN) _ = FdWait.Poll(fd, PollFd.Out, -1);
                else if (errno != Errno.EINTR) return errno;
            }
        }

        return 0;
    }
}
