using System.Buffers;
using System.Net;
using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>
/// Stream sockets that never block, by their descriptors. Nothing throws: a call returns what C's returns, or the negative errno, because what is usual here (EAGAIN) or
/// another's doing (ECONNRESET) must cost neither an exception nor a search for one. EINTR is never returned.
/// </summary>
public static unsafe class StreamSocket
{
    /// <summary>Segments that one <see cref="Send(int, in ReadOnlySequence{byte}, bool)"/> takes; more are for the next call.</summary>
    private const int MostSegments = 16;

    private const int Inet = 2;
    private const int Inet6 = 10;

    /// <summary>Takes a connection that waits. The descriptor does not block and is not inherited by programs that are started.</summary>
    /// <param name="listener">A listening socket that does not block.</param>
    /// <param name="peer">The client's address; null where it has none (a unix socket).</param>
    /// <returns>The descriptor, or the negative errno.</returns>
    public static int Accept(int listener, out IPEndPoint? peer)
    {
        var address = stackalloc byte[Libc.Sockets.AddressBytes];
        peer = null;
        while (true)
        {
            uint bytes = Libc.Sockets.AddressBytes;
            // SAFETY: the kernel writes at most `bytes` bytes into the buffer of that size.
            var fd = Libc.accept4(listener, address, &bytes, Libc.Sockets.AcceptFlags);
            if (fd >= 0)
            {
                OwnDescriptors.Add(fd);
                peer = EndPoint(new ReadOnlySpan<byte>(address, (int)Math.Min(bytes, Libc.Sockets.AddressBytes)));
                return fd;
            }

            if (Marshal.GetLastPInvokeError() is var errno && errno != Errno.EINTR) return -errno;
        }
    }

    /// <summary>The address of this side; null where it has none.</summary>
    public static IPEndPoint? LocalEndPoint(int fd)
    {
        var address = stackalloc byte[Libc.Sockets.AddressBytes];
        uint bytes = Libc.Sockets.AddressBytes;
        // SAFETY: as in Accept.
        return Libc.getsockname(fd, address, &bytes) == 0 ? EndPoint(new ReadOnlySpan<byte>(address, (int)Math.Min(bytes, Libc.Sockets.AddressBytes))) : null;
    }

    /// <summary>Reads what is there.</summary>
    /// <returns>Bytes read, 0 at the end of the stream, or the negative errno.</returns>
    public static int Receive(int fd, Span<byte> buffer)
    {
        // SAFETY: the span is pinned for the whole call and its length is what the kernel is told.
        fixed (byte* first = buffer)
        {
            while (true)
            {
                var count = Libc.recv(fd, first, (nuint)buffer.Length, 0);
                if (count >= 0) return (int)count;
                if (Marshal.GetLastPInvokeError() is var errno && errno != Errno.EINTR) return -errno;
            }
        }
    }

    /// <summary>Writes what there is room for.</summary>
    /// <param name="fd">The socket.</param>
    /// <param name="bytes">What to write.</param>
    /// <param name="moreFollows">The kernel keeps a packet that is not full back for more bytes, or for the end of the connection.</param>
    /// <returns>Bytes taken by the kernel, or the negative errno. EPIPE raises no signal.</returns>
    public static int Send(int fd, ReadOnlySpan<byte> bytes, bool moreFollows = false)
    {
        var flags = Libc.Sockets.NoSignal | (moreFollows ? Libc.Sockets.More : 0);
        // SAFETY: as in Receive.
        fixed (byte* first = bytes)
        {
            while (true)
            {
                var count = Libc.send(fd, first, (nuint)bytes.Length, flags);
                if (count >= 0) return (int)count;
                if (Marshal.GetLastPInvokeError() is var errno && errno != Errno.EINTR) return -errno;
            }
        }
    }

    /// <summary>As <see cref="Send(int, ReadOnlySpan{byte}, bool)"/>, in one system call for up to 16 segments.</summary>
    public static int Send(int fd, in ReadOnlySequence<byte> bytes, bool moreFollows = false)
    {
        if (bytes.IsSingleSegment) return Send(fd, bytes.FirstSpan, moreFollows);

        var vectors = stackalloc Libc.IoVector[MostSegments];
        var pins = new PinList();
        var count = 0;
        foreach (var segment in bytes)
        {
            if (count == MostSegments) break;
            pins[count] = segment.Pin();
            vectors[count] = new Libc.IoVector { Base = pins[count].Pointer, Bytes = (nuint)segment.Length };
            count++;
        }

        try
        {
            return SendAll(fd, vectors, count, Libc.Sockets.NoSignal | (moreFollows ? Libc.Sockets.More : 0));
        }
        finally
        {
            for (var i = 0; i < count; i++) pins[i].Dispose();
        }
    }

    /// <summary>The connection ends at once and the other side is told that it was broken off (RST), also while bytes are under way. For <see cref="Close"/> to follow.</summary>
    public static void SetAbortive(int fd)
    {
        var linger = stackalloc int[2];
        (linger[0], linger[1]) = (1, 0);
        // SAFETY: struct linger is two ints, which the kernel reads. Where it refuses (a unix socket), closing does the same by itself.
        _ = Libc.setsockopt(fd, Libc.Socket.SolSocket, Libc.Sockets.Linger, linger, 2 * sizeof(int));
    }

    /// <summary>Small writes leave at once (TCP_NODELAY). Connections inherit it from their listening socket.</summary>
    public static void SetNoDelay(int fd)
    {
        var on = 1;
        // SAFETY: the kernel reads one int. A unix socket refuses, and never waits.
        _ = Libc.setsockopt(fd, Libc.Sockets.TcpLevel, Libc.Sockets.NoDelay, &on, sizeof(int));
    }

    /// <summary>The kernel asks the other side now and then whether it is there, and breaks the connection when it is not (SO_KEEPALIVE).</summary>
    /// <param name="fd">A TCP socket.</param>
    /// <param name="idleSeconds">Silence before the first question, and between questions.</param>
    /// <param name="questions">So many stay unanswered before the connection is broken.</param>
    public static void SetKeepAlive(int fd, int idleSeconds, int questions)
    {
        var on = 1;
        // SAFETY: the kernel reads one int each time.
        _ = Libc.setsockopt(fd, Libc.Sockets.TcpLevel, Libc.Sockets.KeepIdle, &idleSeconds, sizeof(int));
        _ = Libc.setsockopt(fd, Libc.Sockets.TcpLevel, Libc.Sockets.KeepInterval, &idleSeconds, sizeof(int));
        _ = Libc.setsockopt(fd, Libc.Sockets.TcpLevel, Libc.Sockets.KeepCount, &questions, sizeof(int));
        _ = Libc.setsockopt(fd, Libc.Socket.SolSocket, Libc.Sockets.KeepAlive, &on, sizeof(int));
    }

    /// <summary>Bytes that the kernel has taken and the other side of a TCP connection has not acknowledged; 0 when it cannot be said.</summary>
    public static int Unacknowledged(int fd)
    {
        var bytes = 0;
        // SAFETY: the kernel writes one int.
        return Libc.ioctl(fd, Libc.Sockets.OutputQueue, &bytes) == 0 ? bytes : 0;
    }

    /// <summary>True when the connection is broken, or closed by both sides: a unix socket whose peer has closed, a TCP connection that was reset.</summary>
    public static bool IsHungUp(int fd) => (FdWait.Poll(fd, PollFd.In, 0) & (PollFd.Hup | PollFd.Err)) != 0;

    /// <summary>Tells the other side that nothing more comes; reading goes on.</summary>
    public static void ShutdownWrite(int fd) => _ = Libc.shutdown(fd, Libc.Sockets.ShutWrite);

    /// <summary>Nothing more is read; on a unix socket the other side's writes fail with EPIPE from now on.</summary>
    public static void ShutdownRead(int fd) => _ = Libc.shutdown(fd, Libc.Sockets.ShutRead);

    /// <summary>Breaks a connection whose descriptor somebody else uses: what reads it finds the end. False when it is no connection; a listening socket stays what it is.</summary>
    public static bool TryBreak(int fd)
        => Option(fd, Libc.Socket.SoType) == Libc.Socket.Stream && Option(fd, Libc.Socket.SoAcceptConn) == 0 && Libc.shutdown(fd, Libc.Sockets.ShutBoth) == 0;

    private static int Option(int fd, int option)
    {
        int value = -1;
        uint length = sizeof(int);
        // SAFETY: the kernel writes at most `length` bytes into the local.
        return Libc.getsockopt(fd, Libc.Socket.SolSocket, option, &value, &length) == 0 ? value : -1;
    }

    /// <summary>Closes the descriptor.</summary>
    public static void Close(int fd)
    {
        OwnDescriptors.Remove(fd);
        _ = Libc.close(fd);
    }

    // SAFETY: called by Send with `count` vectors of pinned memory.
    private static int SendAll(int fd, Libc.IoVector* vectors, int count, int flags)
    {
        Libc.MessageHeader message = new() { Vectors = vectors, VectorCount = (nuint)count };
        while (true)
        {
            var sent = Libc.sendmsg(fd, &message, flags);
            if (sent >= 0) return (int)sent;
            if (Marshal.GetLastPInvokeError() is var errno && errno != Errno.EINTR) return -errno;
        }
    }

    /// <summary>From a struct sockaddr_in or sockaddr_in6.</summary>
    internal static IPEndPoint? EndPoint(ReadOnlySpan<byte> address)
    {
        if (address.Length < 16) return null;
        var port = (address[2] << 8) | address[3];
        return MemoryMarshal.Read<ushort>(address) switch
        {
            Inet => new IPEndPoint(new IPAddress(address[4..8]), port),
            Inet6 when address.Length >= 28 => new IPEndPoint(new IPAddress(address[8..24], MemoryMarshal.Read<uint>(address[24..])), port),
            _ => null,
        };
    }

    [System.Runtime.CompilerServices.InlineArray(MostSegments)]
    private struct PinList
    {
        private MemoryHandle _first;
    }
}
