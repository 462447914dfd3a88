namespace UGreen.Py.Native;

/// <summary>Reads and writes of pipes and sockets that do not wait, whatever mode the descriptor has (RWF_NOWAIT). EAGAIN, the P/Invoke's last error: they would.</summary>
// SAFETY: the buffers are those of a C function that waits, which its caller keeps as they are; the kernel alone touches them, and refuses wrong ones.
public static unsafe class NoWait
{
    private const int Flag = 8;
    private const nint AsItIs = -1; // at the descriptor's own position

    /// <summary>Writes as much as fits now.</summary>
    public static nint Write(int fd, nint buffer, nint bytes)
    {
        var part = new Libc.IoVector { Base = (void*)buffer, Bytes = (nuint)bytes };
        return Libc.pwritev2(fd, &part, 1, AsItIs, Flag);
    }

    /// <summary>The same from several buffers, an array of C's struct iovec, which may be wrong.</summary>
    public static nint WriteFrom(int fd, nint vectors, int count) => Libc.pwritev2(fd, (Libc.IoVector*)vectors, count, AsItIs, Flag);

    /// <summary>Reads what is there.</summary>
    public static nint Read(int fd, nint buffer, nint bytes)
    {
        var part = new Libc.IoVector { Base = (void*)buffer, Bytes = (nuint)bytes };
        return Libc.preadv2(fd, &part, 1, AsItIs, Flag);
    }

    /// <summary>The same into several buffers, an array of C's struct iovec.</summary>
    public static nint ReadInto(int fd, nint vectors, int count) => Libc.preadv2(fd, (Libc.IoVector*)vectors, count, AsItIs, Flag);
}
