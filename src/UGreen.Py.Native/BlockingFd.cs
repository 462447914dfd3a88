using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>What a blocking call on a descriptor would do, asked without doing it.</summary>
public static unsafe class BlockingFd
{
    private const int StatusBytes = 144; // struct stat on x86-64, whose st_mode is behind device, inode and link count
    private const int StatusMode = 24;
    private const int TypeMask = 0xF000;
    private const int ReceiveTime = 20;
    private const int SendTime = 21;

    /// <summary>It never blocks (O_NONBLOCK), or is none.</summary>
    public static bool IsNonBlocking(int fd)
    {
        var flags = Libc.fcntl(fd, Libc.FileControl.GetFlags, 0);
        return flags < 0 || (flags & Libc.FileControl.NonBlocking) != 0;
    }

    /// <summary>Makes it block, or not. Others that share the open file see it.</summary>
    public static void SetNonBlocking(int fd, bool nonBlocking)
    {
        var flags = Libc.fcntl(fd, Libc.FileControl.GetFlags, 0);
        if (flags < 0) return;
        _ = Libc.fcntl(fd, Libc.FileControl.SetFlags, nonBlocking ? flags | Libc.FileControl.NonBlocking : flags & ~Libc.FileControl.NonBlocking);
    }

    /// <summary>Reading it now would not block; nor would a look at what is wrong with it.</summary>
    public static bool IsReadable(int fd) => FdWait.Poll(fd, PollFd.In, 0) != 0;

    /// <summary>The same for writing.</summary>
    public static bool IsWritable(int fd) => FdWait.Poll(fd, PollFd.Out, 0) != 0;

    /// <summary>The kernel reads and writes pipes without waiting when told so (RWF_NOWAIT): Linux 6.4 and newer.</summary>
    public static bool HasNoWait { get; } = FindNoWait();

    /// <summary>A pipe or a terminal: writes there wait for their reader, a part at a time.</summary>
    public static bool IsPipe(int fd) => TypeOf(fd) is FdType.Pipe or FdType.Characters;

    public static bool IsSocket(int fd) => TypeOf(fd) == FdType.Socket;

    /// <summary>What it is; null: it is not open.</summary>
    public static FdType? TypeOf(int fd)
    {
        // SAFETY: as large as C's struct stat.
        var status = stackalloc byte[StatusBytes];
        return Libc.fstat(fd, status) == 0 ? (FdType)(*(int*)(status + StatusMode) & TypeMask) : null;
    }

    /// <summary>A socket without bounds between messages: SOCK_STREAM.</summary>
    public static bool IsStream(int fd)
    {
        const int Type = 3; // SO_TYPE
        const int Stream = 1; // SOCK_STREAM
        int type = 0;
        uint length = sizeof(int);
        // SAFETY: two locals for the length of the call.
        return Libc.getsockopt(fd, Libc.Socket.SolSocket, Type, &type, &length) == 0 && type == Stream;
    }

    /// <summary>The other side of a stream sends no more, or something is wrong with it.</summary>
    public static bool IsAtEnd(int fd) => FdWait.Poll(fd, PollFd.PeerEnded, 0) != 0;

    /// <summary>How long a socket waits when it reads (SO_RCVTIMEO), in nanoseconds; 0: no limit, or no socket.</summary>
    public static long ReadTime(int fd) => TimeOption(fd, ReceiveTime);

    /// <summary>The same when it writes (SO_SNDTIMEO).</summary>
    public static long WriteTime(int fd) => TimeOption(fd, SendTime);

    /// <summary>The error that waits on a socket, 0: none. It is taken away.</summary>
    public static int TakeError(int fd)
    {
        int error = 0;
        uint length = sizeof(int);
        // SAFETY: two locals for the length of the call.
        return Libc.getsockopt(fd, Libc.Socket.SolSocket, Libc.Socket.SoError, &error, &length) == 0 ? error : Errno.EBADF;
    }

    private static bool FindNoWait()
    {
        try
        {
            var (read, write) = Pipes.Create();
            using (read)
            using (write)
            {
                byte room;
                // SAFETY: a local for the length of the call.
                return NoWait.Read((int)read.DangerousGetHandle(), (nint)(&room), 1) < 0 && Marshal.GetLastPInvokeError() == Errno.EAGAIN;
            }
        }
        catch (LinuxException)
        {
            return false;
        }
    }

    private static long TimeOption(int fd, int option)
    {
        // SAFETY: a struct timeval of this frame.
        var time = stackalloc long[2];
        uint length = 2 * sizeof(long);
        return Libc.getsockopt(fd, Libc.Socket.SolSocket, option, time, &length) == 0 ? CTime.OfTimeval((nint)time) ?? 0 : 0;
    }
}
