using UGreen.Py.Native;

namespace UGreen.Py.Machine;

/// <summary>
/// The words that this process's preloaded stubs share with the hub, from the hub's side. Hub thread only.
/// <para>Nothing waits green before <see cref="Open"/>, after <see cref="Close"/>, and in a forked child.</para>
/// </summary>
// SAFETY: the pointer is that of the preloaded library's data, which is never unmapped; every offset is one of PreloadData, which Find has proved to be the library's own by its version.
public sealed unsafe class PreloadedStubs
{
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
        if (DynamicLibrary.TrySymbol(0, PreloadLibrary.Forked, out nint forked)) OwnProcess.RegisterFork(0, forked);
        Volatile.Write(ref Word(PreloadData.RegionBytes), bytes);
    }

    /// <summary>From now on every call is the C library's.</summary>
    public void Close() => Volatile.Write(ref Word(PreloadData.RegionBytes), 0);

    /// <summary>One green thread more or less waits for a semaphore. What was posted before is seen by a look at the semaphore that comes after.</summary>
    public void AddSemWaiter(int change) => Interlocked.Add(ref *(long*)(_words + PreloadData.SemWaiters), change);

    /// <summary>The same for a mutex.</summary>
    public void AddMutexWaiter(int change) => Interlocked.Add(ref *(long*)(_words + PreloadData.MutexWaiters), change);

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

    private ref nint Word(int offset) => ref *(nint*)(_words + offset);
}
