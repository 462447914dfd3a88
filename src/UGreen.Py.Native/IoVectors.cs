namespace UGreen.Py.Native;

/// <summary>
/// Several buffers at once (C's <c>struct iovec</c>) of somebody else, from a byte in the middle of them: for whoever carries on with a transfer that went halfway. None of it waits.
/// The results are those of the C library's functions, with its error in the P/Invoke's last error.
/// </summary>
// SAFETY: the vectors are a C function's arguments, which its caller, who waits, keeps as they are. The kernel has read them at least once, so they can be read; what they point to only the kernel touches.
public static unsafe class IoVectors
{
    /// <summary>Most vectors of one call (IOV_MAX). The kernel refuses more.</summary>
    public const int Most = 1024;

    private const int NoWait = 8; // RWF_NOWAIT

    /// <summary>How many bytes they have together.</summary>
    public static nint Bytes(nint vectors, nint count)
    {
        nint sum = 0;
        for (nint i = 0; i < count; i++) sum += (nint)((Libc.IoVector*)vectors)[i].Bytes;
        return sum;
    }

    /// <summary>How many bytes a message has (C's <c>struct msghdr</c>).</summary>
    public static nint MessageBytes(nint message)
    {
        var header = (Libc.MessageHeader*)message;
        return Bytes((nint)header->Vectors, (nint)header->VectorCount);
    }

    /// <summary>Writes to a pipe or a socket what fits now. EOPNOTSUPP: it can only wait. The vectors may be wrong.</summary>
    public static nint TryWrite(int fd, nint vectors, int count) => Libc.pwritev2(fd, (Libc.IoVector*)vectors, count, -1, NoWait);

    /// <summary>Writes what is left behind so many bytes to a pipe, as much as fits now.</summary>
    public static nint WriteNow(int fd, nint vectors, int count, nint done)
    {
        var rest = stackalloc Libc.IoVector[Most];
        return Libc.pwritev2(fd, rest, Rest(vectors, count, done, rest), -1, NoWait);
    }

    /// <summary>The same of one buffer.</summary>
    public static nint WriteNow(int fd, nint buffer, nint bytes)
    {
        var part = new Libc.IoVector { Base = (void*)buffer, Bytes = (nuint)bytes };
        return Libc.pwritev2(fd, &part, 1, -1, NoWait);
    }

    /// <summary>Reads what is in a pipe or a socket now.</summary>
    public static nint ReadNow(int fd, nint buffer, nint bytes)
    {
        var part = new Libc.IoVector { Base = (void*)buffer, Bytes = (nuint)bytes };
        return Libc.preadv2(fd, &part, 1, -1, NoWait);
    }

    /// <summary>The same into several buffers.</summary>
    public static nint ReadNow(int fd, nint vectors, int count) => Libc.preadv2(fd, (Libc.IoVector*)vectors, count, -1, NoWait);

    /// <summary>Writes at most so many bytes of the first buffer that is not done. It may wait.</summary>
    public static nint WritePart(int fd, nint vectors, int count, nint done, nint most)
    {
        var rest = stackalloc Libc.IoVector[Most];
        if (Rest(vectors, count, done, rest) == 0) return 0;
        return Libc.write_from(fd, (nint)rest->Base, (nint)Math.Min(rest->Bytes, (nuint)most));
    }

    /// <summary>Sends what is left behind so many bytes to a socket.</summary>
    public static nint Send(int fd, nint vectors, int count, nint done, int flags)
    {
        var rest = stackalloc Libc.IoVector[Most];
        var header = new Libc.MessageHeader { Vectors = rest, VectorCount = (nuint)Rest(vectors, count, done, rest) };
        return Libc.sendmsg(fd, &header, flags);
    }

    /// <summary>Sends what is left of a message; what is not bytes (control data) went with the first of them.</summary>
    public static nint SendRest(int fd, nint message, nint done, int flags)
    {
        var header = *(Libc.MessageHeader*)message;
        var rest = stackalloc Libc.IoVector[Most];
        header.VectorCount = (nuint)Rest((nint)header.Vectors, (int)header.VectorCount, done, rest);
        header.Vectors = rest;
        header.Control = null;
        header.ControlBytes = 0;
        return Libc.sendmsg(fd, &header, flags);
    }

    /// <summary>Receives behind what a message has got. Address, control data and flags stay those of the first part.</summary>
    public static nint ReceiveRest(int fd, nint message, nint done, int flags)
    {
        var whole = (Libc.MessageHeader*)message;
        var rest = stackalloc Libc.IoVector[Most];
        var header = new Libc.MessageHeader { Vectors = rest, VectorCount = (nuint)Rest((nint)whole->Vectors, (int)whole->VectorCount, done, rest) };
        return Libc.recvmsg(fd, &header, flags);
    }

    private static int Rest(nint vectors, int count, nint done, Libc.IoVector* into)
    {
        var left = 0;
        foreach (ref readonly var part in new ReadOnlySpan<Libc.IoVector>((void*)vectors, Math.Min(count, Most)))
        {
            var skip = (nint)Math.Min((nuint)done, part.Bytes);
            done -= skip;
            if (skip == (nint)part.Bytes) continue;
            into[left++] = new Libc.IoVector { Base = (byte*)part.Base + skip, Bytes = part.Bytes - (nuint)skip };
        }

        return left;
    }
}
