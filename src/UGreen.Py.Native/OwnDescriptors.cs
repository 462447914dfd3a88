namespace UGreen.Py.Native;

/// <summary>
/// Which descriptors are the server's own, for a forked child, which closes them (docs/adr/0037). A byte for each number, in memory that machine code can read: a child runs no C#.
/// Any thread.
/// <para>Invariant: a mark is taken away before the descriptor is closed. So a mark never stands for a file that the application has opened under the same number since.</para>
/// </summary>
public static unsafe class OwnDescriptors
{
    /// <summary>Offset of the marks from <see cref="Address"/>; before them, in the first word, is the highest number that was ever marked, plus one.</summary>
    public const int MarksOffset = 64;

    // As many as Linux allows a process by default (fs.nr_open). One above it, on a machine that allows more, stays open in children.
    private const int Most = 1 << 20;

    private static readonly byte* s_memory = Map();
    private static readonly Lock s_gate = new();
    private static readonly HashSet<int> s_listening = [];

    /// <summary>Where a child's code finds the marks.</summary>
    public static nint Address => (nint)s_memory;

    /// <summary>Listening sockets among them.</summary>
    public static IReadOnlyList<int> Listening
    {
        get
        {
            lock (s_gate) return [.. s_listening];
        }
    }

    /// <summary>A descriptor has been opened.</summary>
    // SAFETY: the number was checked against the size of the mapping, which is never taken away.
    public static void Add(int fd)
    {
        if ((uint)fd >= Most) return;
        Volatile.Write(ref s_memory[MarksOffset + fd], 1);
        ref long end = ref *(long*)s_memory;
        while (Volatile.Read(ref end) is var seen && seen <= fd) _ = Interlocked.CompareExchange(ref end, fd + 1, seen);
    }

    /// <summary>A descriptor is about to be closed.</summary>
    // SAFETY: as in Add.
    public static void Remove(int fd)
    {
        if ((uint)fd < Most) Volatile.Write(ref s_memory[MarksOffset + fd], 0);
    }

    /// <summary>True: it is one of the server's own.</summary>
    // SAFETY: as in Add.
    public static bool Contains(int fd) => (uint)fd < Most && Volatile.Read(ref s_memory[MarksOffset + fd]) != 0;

    /// <summary>A listening socket has been opened, or was handed down.</summary>
    public static void AddListening(int fd)
    {
        lock (s_gate) s_listening.Add(fd);
        Add(fd);
    }

    /// <summary>A listening socket is about to be closed, by whoever. A second time, or for another descriptor, nothing happens.</summary>
    public static void RemoveListening(int fd)
    {
        lock (s_gate)
        {
            if (s_listening.Remove(fd)) Remove(fd);
        }
    }

    // SAFETY: a mapping of that size that is never taken away; the kernel zeroes it, and a page costs memory when it is first marked.
    private static byte* Map()
    {
        nint address = Libc.mmap(0, MarksOffset + Most, Libc.Protection.Read | Libc.Protection.Write, Libc.Map.Private | Libc.Map.Anonymous, -1, 0);
        return address != Libc.Map.Failed ? (byte*)address : throw LinuxException.Last("mmap");
    }
}
