namespace UGreen.Py.Native;

/// <summary>
/// Memory that several processes map: a file without a name, made by one and handed to the others by its descriptor. Zeroed; a page costs memory when it is first touched. Nobody can
/// change its size any more; what stands in it, any of them can.
/// <para>It stays mapped until the process ends, so references into it stay good.</para>
/// </summary>
public sealed unsafe class SharedMemory
{
    private readonly byte* _start;

    private SharedMemory(int fd, byte* start, int bytes)
    {
        Fd = fd;
        _start = start;
        Bytes = bytes;
    }

    /// <summary>The descriptor to hand to other processes; not inherited by itself.</summary>
    public int Fd { get; }

    /// <summary>Its size.</summary>
    public int Bytes { get; }

    /// <summary>Makes one.</summary>
    /// <param name="name">Shown in <c>/proc/PID/maps</c>.</param>
    /// <param name="bytes">Its size.</param>
    /// <exception cref="LinuxException">No memory, or no descriptor.</exception>
    public static SharedMemory Create(string name, int bytes)
    {
        var fd = Libc.memfd_create(name, Libc.Sharing.MemFdCloseOnExec | Libc.Sharing.MemFdAllowSealing);
        if (fd < 0) throw LinuxException.Last("memfd_create");
        if (Libc.ftruncate(fd, bytes) != 0) throw LinuxException.Last("ftruncate");
        // Of a file that another process has made shorter, a mapped page that is no more there is a SIGBUS.
        if (Libc.fcntl(fd, Libc.Sharing.AddSeals, Libc.Sharing.SealSize) != 0) throw LinuxException.Last("fcntl(F_ADD_SEALS)");
        return Map(fd, bytes);
    }

    /// <summary>Maps one that another process made.</summary>
    /// <param name="fd">Its descriptor in this process.</param>
    /// <param name="bytes">Its size, as its maker knows it.</param>
    /// <exception cref="LinuxException">It is not one.</exception>
    public static SharedMemory Map(int fd, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        var address = Libc.mmap(0, (nuint)bytes, Libc.Protection.Read | Libc.Protection.Write, Libc.Sharing.MapShared, fd, 0);
        if (address == Libc.Map.Failed) throw LinuxException.Last("mmap");
        // SAFETY: the mapping has that many bytes and is never taken away.
        return new SharedMemory(fd, (byte*)address, bytes);
    }

    /// <summary>A number of 8 bytes. Other processes write it at any time: read and write it by <see cref="Volatile"/> or <see cref="Interlocked"/>.</summary>
    /// <param name="offset">In bytes; divisible by 8.</param>
    public ref long Word(int offset)
    {
        if ((offset & 7) != 0 || (uint)offset > (uint)(Bytes - sizeof(long))) throw new ArgumentOutOfRangeException(nameof(offset));
        // SAFETY: aligned and inside of the mapping, by the check above.
        return ref *(long*)(_start + offset);
    }

    /// <summary>Some bytes of it.</summary>
    public Span<byte> Span(int offset, int length)
    {
        if (offset < 0 || length < 0 || offset > Bytes - length) throw new ArgumentOutOfRangeException(nameof(offset));
        // SAFETY: inside of the mapping, by the check above.
        return new Span<byte>(_start + offset, length);
    }
}
