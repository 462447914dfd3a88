namespace UGreen.Py.Machine;

/// <summary>
/// Offsets in bytes of the words in the preloaded library's data, which machine code and the hub share. Behind them are the addresses of the C library's own functions, then texts.
/// </summary>
internal static class PreloadData
{
    /// <summary>What the code and the numbers are: a library that another version of the server has made is not used.</summary>
    public const int Version = 0;

    /// <summary>Lowest address of the green stacks.</summary>
    public const int RegionLow = 8;

    /// <summary>Their size; 0: nothing waits green. Set last, and to 0 in a forked child.</summary>
    public const int RegionBytes = 16;

    /// <summary>Where the running core's record is found: the address of the trampoline's cell.</summary>
    public const int CellAt = 24;

    /// <summary>Address of the second door into the hub.</summary>
    public const int Door = 32;

    /// <summary>Address of errno of the hub's OS thread.</summary>
    public const int ErrnoAt = 40;

    /// <summary>The hub's OS thread, as a mutex names its owner.</summary>
    public const int HubThread = 48;

    /// <summary>The eventfd that ends the hub's sleep.</summary>
    public const int WakeFd = 56;

    /// <summary>How many green threads wait for a semaphore.</summary>
    public const int SemWaiters = 64;

    /// <summary>How many green threads wait for a mutex.</summary>
    public const int MutexWaiters = 72;

    /// <summary>1 while the hub sleeps; whoever takes it wakes the hub.</summary>
    public const int Sleeping = 80;

    /// <summary>1: what is written to the eventfd.</summary>
    public const int One = 88;

    /// <summary>How many releases were noted.</summary>
    public const int Tail = 128;

    /// <summary>
    /// The addresses that were released last, each with the number of its round through the ring in the upper bits: a place that is counted and not written yet holds an older one's.
    /// </summary>
    public const int Ring = 192;

    public const int RingBits = 10;

    /// <summary>Places in the ring. When more come between two passes of the hub, it asks for each that is waited for.</summary>
    public const int RingSlots = 1 << RingBits;

    /// <summary>Bits of an address, above which the round is.</summary>
    public const int RoundShift = 48;

    /// <summary>What is known of each descriptor below <see cref="KnownFds"/>, a <see cref="FdKind"/> in a byte each. Whatever closes one or puts another in its place clears it.</summary>
    public const int Kinds = Ring + (RingSlots * sizeof(long));

    /// <summary>How many descriptors that is.</summary>
    public const int KnownFds = 4096;

    public const int DlOpen = Kinds + KnownFds;
    public const int DlSym = DlOpen + 8;
    public const int DlError = DlSym + 8;
    public const int Errx = DlError + 8;
    public const int DlVSym = OwnMain + 8;

    /// <summary>How many green threads wait for a condition variable.</summary>
    public const int ConditionWaiters = DlVSym + 8;

    /// <summary>Code whose condition variables are not waited for green: its lowest address and its size, range after range, and at last a 0. The first is Python's own.</summary>
    public const int Apart = ConditionWaiters + 8;

    /// <summary>The others, which are the .NET runtime's.</summary>
    public const int ApartRuntime = Apart + 16;

    /// <summary>Most ranges at <see cref="Apart"/>.</summary>
    internal const int MostApart = 23;

    /// <summary>Address of the program's own main.</summary>
    public const int OwnMain = Errx + 8;

    /// <summary>Addresses of the C library's own functions, in the order of <see cref="Functions"/>.</summary>
    public const int Reals = Waited + (WaitedFds / 8);

    /// <summary>The process that the hub is in: a child of vfork() shares this memory.</summary>
    public const int Process = Apart + (((2 * MostApart) + 1) * sizeof(long));

    /// <summary>A bit for each descriptor that a green thread has waited for since it was closed last.</summary>
    public const int Waited = Process + 8;

    /// <summary>Bits at <see cref="Waited"/>; the close of those above is not told.</summary>
    internal const int WaitedFds = 65536;

    /// <summary>Called by the stubs, but none of them.</summary>
    public const string StartMain = "__libc_start_main";

    /// <inheritdoc cref="StartMain"/>
    public const string TryLock = "pthread_mutex_trylock";

    public const string SemPost = "sem_post";
    public const string Unlock = "pthread_mutex_unlock";
    public const string Signal = "pthread_cond_signal";
    public const string Broadcast = "pthread_cond_broadcast";
    public const string Poll = "poll";
    public const string Write = "write";
    public const string CloseStream = "fclose";

    /// <inheritdoc cref="StartMain"/>
    public const string StreamFd = "fileno";

    /// <summary>What puts another descriptor in the place of its second argument.</summary>
    public static IReadOnlyList<string> Replacing { get; } = ["dup2", "dup3"];

    /// <summary>What closes any number of descriptors.</summary>
    public static IReadOnlyList<string> ClosingMany { get; } = ["close_range", "closefrom"];

    /// <summary>What closes the descriptor that is its first argument.</summary>
    public const string Close = "close";

    /// <summary>Only called: nothing of ours stands before them.</summary>
    public static IReadOnlyList<string> Helpers { get; } = [TryLock, StreamFd];

    /// <summary>What is looked up in the C library.</summary>
    public static IReadOnlyList<string> Functions { get; } =
        [.. BlockingCall.All.Select(call => call.Name), SemPost, Unlock, Signal, Broadcast, Close, .. Replacing, .. ClosingMany, CloseStream, .. Helpers, StartMain];

    /// <summary>First byte of the texts.</summary>
    public static int Texts => Reals + (Functions.Count * sizeof(long));

    /// <summary>Where the address of the C library's function is.</summary>
    public static int Real(string name)
    {
        for (int i = 0; i < Functions.Count; i++)
        {
            if (Functions[i] == name) return Reals + (i * sizeof(long));
        }

        throw new ArgumentOutOfRangeException(nameof(name), name, null);
    }
}
