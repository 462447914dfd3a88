using UGreen.Py.Native;

namespace UGreen.Py.Machine;

/// <summary>
/// The words that this process's preloaded stubs share with the hub, from the hub's side. Hub thread only.
/// <para>Nothing waits green before <see cref="Open"/>, after <see cref="Close"/>, and in a forked child.</para>
/// </summary>
// SAFETY: the pointer is that of the preloaded library's data, which is never unmapped; every offset is one of PreloadData, which Find has proved to be the library's own by its version.
public sealed unsafe class PreloadedStubs
{
    private const int LastStandard = 2;

    private readonly byte* _words;
    private readonly long* _tail;
    private readonly long* _ring;
    private long _head;

    private PreloadedStubs(nint words)
    {
        _words = (byte*)words;
        _tail = (long*)(_words + PreloadData.Tail);
        _ring = (long*)(_words + PreloadData.Ring);
    }

    /// <summary>The stubs of this process. Null: it has none, or another version of this server has made them.</summary>
    public static PreloadedStubs? Find()
    {
        if (!DynamicLibrary.TrySymbol(0, PreloadLibrary.Words, out nint words)) return null;
        return *(long*)(words + PreloadData.Version) == PreloadLibrary.Version ? new PreloadedStubs(words) : null;
    }

    /// <summary>Another version of this server has made what this process was started with.</summary>
    public static bool AreOfAnotherVersion => DynamicLibrary.TrySymbol(0, PreloadLibrary.Words, out _) && Find() is null;

    /// <summary>Something was released since the last <see cref="TakeReleased"/>.</summary>
    public bool HasReleases => Volatile.Read(ref *_tail) != _head;

    /// <summary>From now on calls on the green stacks enter the hub. The calling thread is the hub's.</summary>
    /// <param name="low">Lowest address of the green stacks.</param>
    /// <param name="bytes">Their size.</param>
    /// <param name="cell">Address of the word with the running core's record.</param>
    /// <param name="door">Address of the second door.</param>
    /// <param name="wakeFd">Eventfd that ends the hub's sleep.</param>
    public void Open(nint low, nint bytes, nint cell, nint door, int wakeFd)
    {
        Word(PreloadData.RegionLow) = low;
        Word(PreloadData.CellAt) = cell;
        Word(PreloadData.Door) = door;
        Word(PreloadData.ErrnoAt) = CError.Address;
        Word(PreloadData.HubThread) = OwnProcess.ThreadId;
        Word(PreloadData.WakeFd) = wakeFd;
        Word(PreloadData.Process) = OwnProcess.Id;
        if (DynamicLibrary.TrySymbol(0, PreloadLibrary.Forked, out nint forked)) OwnProcess.RegisterFork(0, forked);
        Volatile.Write(ref Word(PreloadData.RegionBytes), bytes);
    }

    /// <summary>From now on every call is the C library's.</summary>
    public void Close() => Volatile.Write(ref Word(PreloadData.RegionBytes), 0);

    /// <summary>
    /// What a descriptor is, by a look at it at the first time; the stubs know it from then on, until it is closed. Exact only while no other thread closes the very descriptor at the same time.
    /// </summary>
    public FdKind KindOf(int fd)
    {
        if ((uint)fd >= PreloadData.KnownFds) return Look(fd);
        ref byte known = ref _words[PreloadData.Kinds + fd];
        if (known == (byte)FdKind.Unknown) known = (byte)Look(fd);
        return (FdKind)known;
    }

    /// <summary>One green thread more or less waits for a semaphore. What was posted before is seen by a look at the semaphore that comes after.</summary>
    public void AddSemWaiter(int change) => Interlocked.Add(ref *(long*)(_words + PreloadData.SemWaiters), change);

    /// <summary>The same for a mutex.</summary>
    public void AddMutexWaiter(int change) => Interlocked.Add(ref *(long*)(_words + PreloadData.MutexWaiters), change);

    /// <summary>The same for a condition variable.</summary>
    public void AddConditionWaiter(int change) => Interlocked.Add(ref *(long*)(_words + PreloadData.ConditionWaiters), change);

    /// <summary>Calls from this code that wait for a condition variable never wait green, nor do those from all but the first of them that yield. Before <see cref="Open"/>.</summary>
    /// <param name="ranges">Lowest address and end of each, at most <see cref="MostApart"/>. The first is Python's own.</param>
    public void KeepApart(IReadOnlyList<(nint Low, nint High)> ranges)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ranges.Count, MostApart);
        for (int i = 0; i < ranges.Count; i++)
        {
            Word(PreloadData.Apart + (2 * i * sizeof(long))) = ranges[i].Low;
            Word(PreloadData.Apart + (((2 * i) + 1) * sizeof(long))) = ranges[i].High - ranges[i].Low;
        }
    }

    /// <summary>From now on the close of a descriptor is told by <see cref="TakeReleased"/>, once: see <see cref="IsClose"/>.</summary>
    public void Watch(int fd)
    {
        if (fd >= PreloadData.WaitedFds) return;
        ref long bits = ref *(long*)(_words + PreloadData.Waited + (fd / 64 * sizeof(long)));
        long bit = 1L << (fd % 64);
        if ((Volatile.Read(ref bits) & bit) == 0) Interlocked.Or(ref bits, bit);
    }

    /// <summary>What <see cref="TakeReleased"/> gave is no address: this descriptor is being closed.</summary>
    public static bool IsClose(nint released, out int fd)
    {
        fd = (int)(released >> 1);
        return released < 2 * PreloadData.WaitedFds;
    }

    /// <summary>Most ranges that <see cref="KeepApart"/> takes.</summary>
    public const int MostApart = PreloadData.MostApart;

    /// <summary>In an address that <see cref="TakeReleased"/> gives: all who wait for the condition variable there are told, not one.</summary>
    public const nint Broadcast = 1;

    /// <summary>Most addresses that <see cref="TakeReleased"/> gives at once.</summary>
    public const int MostReleases = PreloadData.RingSlots;

    /// <summary>Takes what was released since the last time.</summary>
    /// <param name="into">Room for <see cref="MostReleases"/> addresses.</param>
    /// <returns>How many there are; -1: not all were noted, so it may be any.</returns>
    public int TakeReleased(Span<nint> into)
    {
        long tail = Volatile.Read(ref *_tail);
        long head = _head;
        _head = tail;
        if (tail - head > MostReleases) return -1;
        int count = 0;
        for (; head < tail; head++)
        {
            ulong place = (ulong)Volatile.Read(ref _ring[head & (MostReleases - 1)]);
            ulong round = ((ulong)head >> PreloadData.RingBits) << PreloadData.RoundShift;

            // Of another round: it was counted and is not written yet, or was written again meanwhile.
            if (place >> PreloadData.RoundShift != round >> PreloadData.RoundShift || place == round) return -1;
            into[count++] = (nint)(place & ((1UL << PreloadData.RoundShift) - 1));
        }

        return count;
    }

    /// <summary>The hub is about to sleep. False when something was released.</summary>
    public bool TryPrepareSleep()
    {
        Interlocked.Exchange(ref *(long*)(_words + PreloadData.Sleeping), 1);
        if (!HasReleases) return true;
        EndSleep();
        return false;
    }

    /// <summary>The hub is awake.</summary>
    public void EndSleep() => Volatile.Write(ref Word(PreloadData.Sleeping), 0);

    // Standard input, output and error are not remembered: freopen() exchanges what they are.
    private static FdKind Look(int fd) => fd <= LastStandard ? FdKind.Other : BlockingFd.TypeOf(fd) switch
    {
        FdType.File or FdType.BlockDevice => FdKind.File,
        FdType.Pipe when BlockingFd.HasNoWait => FdKind.Stream,
        FdType.Socket when BlockingFd.HasNoWait => FdKind.Stream,
        null => FdKind.Unknown,
        _ => FdKind.Other,
    };

    private ref nint Word(int offset) => ref *(nint*)(_words + offset);
}
