namespace UGreen.Py.Native;

/// <summary>What an open descriptor can be used for at all.</summary>
public static class FdAccess
{
    private const int AccessMode = 3;
    private const int ReadOnly = 0;
    private const int WriteOnly = 1;

    /// <summary>It can be read: a read of another one is an error, for which nothing waits. So is that of a set of epoll.</summary>
    public static bool CanRead(int fd) => Mode(fd) is not (< 0 or WriteOnly) && !IsPollSet(fd);

    /// <summary>It can be written to.</summary>
    public static bool CanWrite(int fd) => Mode(fd) is not (< 0 or ReadOnly);

    private static int Mode(int fd)
    {
        var flags = Libc.fcntl(fd, Libc.FileControl.GetFlags, 0);
        return flags < 0 ? -1 : flags & AccessMode;
    }

    // It has no kind of file, as others that can be read, and only its name tells.
    private static bool IsPollSet(int fd)
    {
        if (BlockingFd.TypeOf(fd) is not FdType.None) return false;
        return new FileInfo($"/proc/self/fd/{fd}").LinkTarget?.Contains("[eventpoll]", StringComparison.Ordinal) == true;
    }
}
