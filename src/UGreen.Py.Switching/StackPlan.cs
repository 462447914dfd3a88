namespace UGreen.Py.Switching;

/// <summary>
/// The arithmetic of the stack reservation, apart from any memory, so that it can be tested with every figure. From low to high addresses:
/// <code>
///   LowSlack | guard | stack N | guard | … | stack N+M-1 | guard | stack 0 | guard | stack 1 | guard | … | stack N-1 | guard | the hub's own frames (HubReserve)
///              the M spawn cores' zone                     | the N request cores' zone
/// </code>
/// Neighbours share a guard page: a page that nobody may touch protects the end of one stack as well as the start of the next. The spawn cores have a zone of their own because
/// theirs are many and smaller: 1,000 of them at the size that deep recursion in requests asks for would leave no room for the requests.
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

    /// <summary>The least that is chosen for a spawn core: what uWSGI gives a core by default is as much.</summary>
    public const int LeastSpawnPages = 64;

    /// <summary>Spawn cores where nobody gives a number: as many as design and documentation promise.</summary>
    public const int DefaultSpawnCores = 1000;

    private const int FixedBytes = HubReserveBytes + LowSlackBytes + TopSlackBytes + GuardBytes;

    /// <param name="cores">Number of green stacks.</param>
    /// <param name="stackPages">Usable pages of each.</param>
    /// <param name="maxMappings">vm.max_map_count.</param>
    /// <param name="spawnCores">Number of green stacks for spawned functions.</param>
    /// <param name="spawnPages">Usable pages of each of those.</param>
    /// <exception cref="StackReservationException">It does not fit.</exception>
    public StackPlan(int cores, int stackPages, long maxMappings, int spawnCores = 0, int spawnPages = 0)
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

        SpawnCores = spawnCores;
        SpawnPages = spawnPages;
        if (ReserveBytesLong > int.MaxValue || (2L * (cores + (long)spawnCores)) + OtherMappings > maxMappings)
            throw new StackReservationException(TooManySpawnCores(maxMappings));
    }

    public int Cores { get; }

    public int StackPages { get; }

    public int SpawnCores { get; }

    public int SpawnPages { get; }

    /// <summary>Sizes where the user gives none, as large as fits within their bounds; requests come first.</summary>
    /// <param name="cores">Number of request cores.</param>
    /// <param name="stackPages">What the user wants for each; null: choose.</param>
    /// <param name="spawnCores">What the user wants of spawn cores; null: <see cref="DefaultSpawnCores"/>, or as many as fit beside the request cores.</param>
    /// <param name="maxMappings">vm.max_map_count.</param>
    public static StackSizes Choose(int cores, int? stackPages, int? spawnCores, long maxMappings)
    {
        const long Room = int.MaxValue - FixedBytes;
        var wanted = spawnCores ?? DefaultSpawnCores;
        var pages = stackPages ?? (int)Math.Clamp(((Room - (wanted * Stride(LeastSpawnPages))) / Math.Max(1, cores) / PageBytes) - 1, LeastDefaultPages, MostDefaultPages);
        var left = Math.Max(0, Room - (cores * Stride(pages)));
        var spawnPages = (int)Math.Clamp((left / Math.Max(1, wanted) / PageBytes) - 1, Math.Min(LeastSpawnPages, pages), pages);
        var fit = Math.Min(left / Stride(spawnPages), Math.Max(0, ((maxMappings - OtherMappings) / 2) - cores));
        return new StackSizes(cores, pages, spawnCores ?? (int)Math.Min(wanted, fit), spawnPages);
    }

    private static long Stride(long pages) => (pages * PageBytes) + GuardBytes;

    /// <summary>Usable bytes of one request stack.</summary>
    public long StackBytes => (long)StackPages * PageBytes;

    /// <summary>From one request stack to the next.</summary>
    public long StrideBytes => Stride(StackPages);

    /// <summary>From one spawn stack to the next.</summary>
    public long SpawnStrideBytes => Stride(SpawnPages);

    /// <summary>The spawn cores' zone.</summary>
    public long SpawnBytes => SpawnCores * SpawnStrideBytes;

    /// <summary>From the lowest guard page to the end of the highest.</summary>
    public long RegionBytes => SpawnBytes + (Cores * StrideBytes) + GuardBytes;

    /// <summary>What to ask for as Thread.maxStackSize.</summary>
    public int ReserveBytes => (int)ReserveBytesLong;

    private long ReserveBytesLong => FixedBytes + (Cores * StrideBytes) + SpawnBytes;

    private string TooManySpawnCores(long maxMappings)
    {
        long bytesLeft = int.MaxValue - FixedBytes - (Cores * StrideBytes);
        long most = Math.Max(0, Math.Min(bytesLeft / SpawnStrideBytes, ((maxMappings - OtherMappings) / 2) - Cores));
        return $"--ugreen-spawn-max {SpawnCores} (stacks of {SpawnPages} pages of 4 KiB) does not fit into one worker beside --async {Cores} with {StackPages} pages each: "
            + $"the most that fits is --ugreen-spawn-max {most}.";
    }

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
