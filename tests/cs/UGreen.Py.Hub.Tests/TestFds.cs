using System.Runtime.InteropServices;
using UGreen.Py.Native;
using Xunit;

namespace UGreen.Py.Hub.Tests;

/// <summary>
/// File descriptors of one test, all closed at its end. Tests that reuse a number do it with dup2 on numbers far above those that the runtime is given, because another
/// thread of the process may open something at any moment.
/// </summary>
internal sealed unsafe partial class TestFds : IDisposable
{
    private readonly HashSet<int> _open = [];

    /// <summary>A free number that the kernel will not give to anybody by itself.</summary>
    public const int High = 700;

    public (int Read, int Write) Pipe()
    {
        var pair = stackalloc int[2];

        // SAFETY: the kernel writes two ints into the local array.
        Succeeded(pipe(pair));
        return (Own(pair[0]), Own(pair[1]));
    }

    /// <summary>Two connected stream sockets: reading and writing on each.</summary>
    public (int A, int B) SocketPair()
    {
        const int AfUnix = 1, SockStream = 1;
        var pair = stackalloc int[2];

        // SAFETY: as above.
        Succeeded(socketpair(AfUnix, SockStream, 0, pair));
        return (Own(pair[0]), Own(pair[1]));
    }

    /// <summary>Makes <paramref name="number"/> mean the file of <paramref name="fd"/>; what it meant before is closed.</summary>
    public int Dup(int fd, int number)
    {
        Succeeded(dup2(fd, number));
        return Own(number);
    }

    public int Open(string path) => Own(open(path, 0));

    public void Close(int fd)
    {
        Assert.True(_open.Remove(fd), $"fd {fd} is not open");
        Succeeded(Libc.close(fd));
    }

    /// <summary>Writes bytes; the fds are blocking, and the tests write little.</summary>
    public static void Write(int fd, int bytes = 1)
    {
        // SAFETY: that many bytes of a local array are read.
        var data = stackalloc byte[bytes];
        Assert.Equal(bytes, (int)Libc.write(fd, data, (nuint)bytes));
    }

    public static void Read(int fd, int bytes = 1)
    {
        var data = stackalloc byte[bytes];

        // SAFETY: at most that many bytes are written into the local array.
        Assert.Equal(bytes, (int)Libc.read(fd, data, (nuint)bytes));
    }

    /// <summary>Writes until the kernel takes no more.</summary>
    public static void Fill(int fd)
    {
        const int Block = 4096;
        var data = stackalloc byte[Block];
        Succeeded(Libc.fcntl(fd, Libc.FileControl.SetFlags, Libc.FileControl.NonBlocking));

        // SAFETY: a block of a local array is read.
        while (Libc.write(fd, data, Block) > 0)
        {
        }

        Assert.Equal(Errno.EAGAIN, Marshal.GetLastPInvokeError());
    }

    /// <summary>Reads until nothing is left.</summary>
    public static void Empty(int fd)
    {
        const int Block = 65536;
        var data = stackalloc byte[Block];
        Succeeded(Libc.fcntl(fd, Libc.FileControl.SetFlags, Libc.FileControl.NonBlocking));

        // SAFETY: at most a block is written into the local array.
        while (Libc.read(fd, data, Block) > 0)
        {
        }
    }

    public void Dispose()
    {
        foreach (var fd in _open) _ = Libc.close(fd);
    }

    private static void Succeeded(int result) => Assert.True(result >= 0, $"errno {Marshal.GetLastPInvokeError()}");

    private int Own(int fd)
    {
        Succeeded(fd);
        _open.Add(fd);
        return fd;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe(int* fds);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socketpair(int domain, int type, int protocol, int* fds);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int dup2(int from, int to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);
}
