namespace UGreen.Py.Switching;

/// <summary>
/// The arithmetic of the stack reservation, apart from any memory, so that it can be tested with every figure. From low to high addresses:
/// <code>
///   LowSlack | guard | stack 0 | guard | stack 1 | guard | … | stack N-1 | guard | the hub's own frames (HubReserve)
/// </code>
/// Neighbours share a guard page: a page that nobody may touch protects the end of one stack as well as the start of the next.
/// </summary>
internal readonly record struct StackPlan
{
    /// <summary>x86-64 has pages of 4 KiB; the stack size is given in these, as uWSGI does.</summary>
    public const int PageBytes = 4096;

    /// <summary>One page between stacks: what any compiler's stack probing assumes at least.</summary>
    public const int GuardBytes = PageBytes;

    /// <summary>What the main stack keeps: applications are imported on it, and 8 MiB is what Linux gives a process's first thread.</summary>
    public const int HubReserveBytes = 8 * 1024 * 1024;

    /// <summary>
    /// Below the lowest stack. The CLR refuses managed calls on the last 128 KiB of a thread's stack (EnsureSufficientExecutionStack); with twice that left
    /// free, core 0 is treated like all others.
    /// </summary>
    public const int LowSlackBytes = 256 * 1024;

    /// <summary>Above the hub's frames: thread-local storage and the C library's thread descriptor lie at the top of the reservation.</summary>
    public const int TopSlackBytes = 128 * 1024;

    /// <summary>A signal frame with AVX-512 state is 3 KiB, and CPython needs some 20 KiB to raise an exception: below 64 KiB nothing useful runs.</summary>
    public const int MinStackPages = 16;

    /// <summary>Mappings that the runtime, CPython and the application's libraries need for themselves; a server with many extension modules has about 2,000.</summary>
    public const int OtherMappings = 4096;

    /// <summary>The least that is chosen where nobody chooses: uWSGI users know 256.</summary>
    public const int LeastDefaultPages = 256;

    /// <summary>
    /// The most that is chosen where nobody chooses: CPython's default recursion limit of 1,000 calls through the hungriest C functions of its own library (sorted() with a
    /// key, SQLite callbacks) takes 3 MiB, and then ends in a RecursionError instead of an overflow.
    /// </summary>
    public const int MostDefaultPages = 1024;

    private const int FixedBytes = HubReserveBytes + LowSlackBytes + TopSlackBytes + GuardBytes;

    /// <param name="cores">Number of green stacks.</param>
    /// <param name="stackPages">Usable pages of each.</param>
    /// <param name="maxMappings">vm.max_map_count.</param>
    /// <exception cref="StackReservationException">It does not fit.</exception>
    public StackPlan(int cores, int stackPages, long maxMappings)
    {
        if (cores < 1) throw new StackReservationException($"--async {cores}: at least one core is needed.");
        if (stackPages < MinStackPages)
        {
            throw new StackReservationException($"--ugreen-stacksize {stackPages}: at least {MinStackPages} pages ({MinStackPages * PageBytes / 1024} KiB) are needed.");
        }

        Cores = cores;
        StackPages = stackPages;
        if (ReserveBytesLong > int.MaxValue) throw new StackReservationException(TooManyBytes());

        // A stack and its guard page are one mapping each.
        if ((2L * cores) + OtherMappings > maxMappings) throw new StackReservationException(TooManyMappings(maxMappings));
    }

    public int Cores { get; }

    public int StackPages { get; }

    /// <summary>Stack size where the user gives none: as much as fits, within the two bounds.</summary>
    public static int DefaultPages(int cores)
        => (int)Math.Clamp(((int.MaxValue - FixedBytes) / Math.Max(1, cores) / PageBytes) - 1, LeastDefaultPages, MostDefaultPages);

    /// <summary>Usable bytes of one stack.</summary>
    public long StackBytes => (long)StackPages * PageBytes;

    /// <summary>From one stack to the next.</summary>
    public long StrideBytes => StackBytes + GuardBytes;

    /// <summary>From the lowest guard page to the end of the highest.</summary>
    public long RegionBytes => (Cores * StrideBytes) + GuardBytes;

    /// <summary>What to ask for as Thread.maxStackSize.</summary>
    public int ReserveBytes => (int)ReserveBytesLong;

    private long ReserveBytesLong => FixedBytes + (Cores * StrideBytes);

    private string TooManyBytes()
    {
        const long Room = int.MaxValue - FixedBytes;
        long mostCores = Room / StrideBytes;
        long mostPages = (Room / Cores / PageBytes) - 1;
        string smaller = mostPages >= MinStackPages ? $", or --ugreen-stacksize {mostPages} with {Cores} cores" : "";
        string remedy = mostCores > 0 ? $"The most that fits is --async {mostCores} at this stack size{smaller}." : $"The most that fits is --ugreen-stacksize {mostPages}.";
        return $"--async {Cores} with --ugreen-stacksize {StackPages} (pages of 4 KiB, so {StackBytes / 1024} KiB for each core) needs "
            + $"{ReserveBytesLong / (1024 * 1024)} MiB of address space, and one worker can reserve {int.MaxValue / (1024 * 1024)} MiB. "
            + remedy;
    }

    private string TooManyMappings(long maxMappings)
    {
        long mostCores = Math.Max(0, (maxMappings - OtherMappings) / 2);
        return $"--async {Cores} needs {2L * Cores} memory mappings for stacks and guard pages, and the kernel allows a process {maxMappings} in all "
            + $"(vm.max_map_count), of which {OtherMappings} are left for everything else. The most that fits is --async {mostCores}; "
            + $"or raise the limit: sysctl -w vm.max_map_count={(2L * Cores) + OtherMappings}.";
    }
}
