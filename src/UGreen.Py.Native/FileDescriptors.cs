using Microsoft.Win32.SafeHandles;

namespace UGreen.Py.Native;

/// <summary>Open files that belong to somebody else.</summary>
public static class FileDescriptors
{
    /// <summary>A descriptor of our own for the same open file, which lives on when the owner closes his; closed by the handle.</summary>
    /// <exception cref="LinuxException">EBADF: it is not open. EMFILE: the process may open no more.</exception>
    public static SafeFileHandle Duplicate(int fd)
    {
        var copy = Libc.fcntl(fd, Libc.FileControl.DuplicateCloseOnExec, 0);
        if (copy < 0) throw LinuxException.Last("fcntl(F_DUPFD_CLOEXEC)");
        return new SafeFileHandle(copy, ownsHandle: true);
    }

    /// <summary>Programs that are started from now on do not get it.</summary>
    /// <returns>False: it is not open.</returns>
    public static bool SetCloseOnExec(int fd) => Libc.fcntl(fd, Libc.FileControl.SetFd, Libc.FileControl.CloseOnExec) == 0;

    /// <summary>Gives an open file a number of at least <paramref name="lowest"/>, out of the way of code that goes through all small ones. Close-on-exec.</summary>
    /// <returns>The new number; the old one, which stays open then, where the process may have none so high.</returns>
    public static int MoveUp(int fd, int lowest)
    {
        var moved = Libc.fcntl(fd, Libc.FileControl.DuplicateCloseOnExec, lowest);
        if (moved < 0) return fd;
        _ = Libc.close(fd);
        return moved;
    }
}
