using System.Globalization;
using UGreen.Py.Native;

namespace UGreen.Py.Switching;

/// <summary>
/// The green stacks, carved out of the hub thread's own stack below the hub's frames; <see cref="StackPlan"/> has the picture and the sizes.
/// <para>
/// Why not separate mappings: the CLR and C libraries compare stack addresses with the bounds of the thread, and only addresses inside them pass
/// (docs/adr/0006-guard-pages-and-stack-size.md).
/// </para>
/// </summary>
public sealed class GreenStacks : IDisposable
{
    private const string MaxMappingsFile = "/proc/sys/vm/max_map_count";

    // The kernel's default, for systems that hide the file.
    private const long DefaultMaxMappings = 65530;

    private readonly StackPlan _plan;
    private int _guarded;

    private GreenStacks(StackPlan plan, nint low, StackBounds thread)
    {
        _plan = plan;
        Low = low;
        AboveBytes = thread.High - High;
    }

    /// <summary>Number of stacks.</summary>
    public int Count => _plan.Cores + _plan.SpawnCores;

    /// <summary>Number of those for requests; they come first.</summary>
    public int RequestCount => _plan.Cores;

    /// <summary>Address of the lowest guard page.</summary>
    public nint Low { get; }

    /// <summary>Address of the guard page below the request stacks.</summary>
    internal nint RequestLow => Low + (nint)_plan.SpawnBytes;

    /// <summary>First address above the highest guard page.</summary>
    public nint High => Low + (nint)_plan.RegionBytes;

    /// <summary>Usable bytes of each request stack.</summary>
    public nint StackBytes => (nint)_plan.StackBytes;

    /// <summary>Usable pages of 4 KiB of each request stack.</summary>
    public int StackPages => _plan.StackPages;

    /// <summary>Usable pages of 4 KiB of each spawn stack.</summary>
    public int SpawnPages => _plan.SpawnPages;

    internal nint StrideBytes => (nint)_plan.StrideBytes;

    internal nint SpawnStrideBytes => (nint)_plan.SpawnStrideBytes;

    /// <summary>
    /// Sizes where the user gives none: for request stacks 1,024 pages of 4 KiB, or as many as fit for so many cores, but not less than 256; spawn cores are 1,000, or as many as
    /// fit beside the request cores, with at least 64 pages each.
    /// </summary>
    /// <param name="cores">Number of request cores.</param>
    /// <param name="stackPages">Pages for each request stack; null: choose.</param>
    /// <param name="spawnCores">Number of spawn cores; null: choose.</param>
    public static StackSizes Choose(int cores, int? stackPages, int? spawnCores) => StackPlan.Choose(cores, stackPages, spawnCores, MaxMappings());

    /// <summary>Bytes of thread stack to ask for as <c>maxStackSize</c> of the hub thread.</summary>
    /// <param name="sizes">At least one core, and stacks of at least 16 pages.</param>
    /// <exception cref="StackReservationException">It does not fit in one thread's stack (2 GiB) or in vm.max_map_count; the message says what would.</exception>
    public static int ReserveBytes(StackSizes sizes) => Plan(sizes).ReserveBytes;

    /// <summary>The same without spawn cores.</summary>
    public static int ReserveBytes(int cores, int stackPages) => ReserveBytes(new StackSizes(cores, stackPages));

    /// <summary>The same without spawn cores.</summary>
    public static GreenStacks Carve(int cores, int stackPages) => Carve(new StackSizes(cores, stackPages));

    /// <summary>Carves the stacks out of the calling thread's, which must be the hub's, started with <see cref="ReserveBytes(StackSizes)"/>. Called near its first frame.</summary>
    /// <param name="sizes">As given to <see cref="ReserveBytes(StackSizes)"/>.</param>
    /// <exception cref="StackReservationException">As <see cref="ReserveBytes(StackSizes)"/>.</exception>
    /// <exception cref="InvalidOperationException">The thread's stack is too small for it.</exception>
    /// <exception cref="LinuxException">A guard page could not be set.</exception>
    public static GreenStacks Carve(StackSizes sizes)
    {
        StackPlan plan = Plan(sizes);
        StackBounds thread = ThreadStack.Current();
        nint low = (thread.Low + StackPlan.LowSlackBytes + StackPlan.PageBytes - 1) & ~(nint)(StackPlan.PageBytes - 1);
        GreenStacks stacks = new(plan, low, thread);

        // The frames above this one have used something already; half of the reserve is what must be left at least.
        if (stacks.High + (StackPlan.HubReserveBytes / 2) > ThreadStack.CurrentAddress())
        {
            throw new InvalidOperationException(
                $"The hub thread has {thread.Bytes} bytes of stack, too few for {sizes}: start it with ReserveBytes.");
        }

        // A huge page would make the first touch of a stack cost 2 MiB of memory instead of 4 KiB.
        ThreadStack.NoHugePages(stacks.Low, (nint)plan.RegionBytes);
        stacks.Guard();
        return stacks;
    }

    /// <summary>Lowest usable address of a core's stack; a guard page lies below it and another one above its end.</summary>
    public nint StackLow(int core)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)core, (uint)Count);
        return (core < RequestCount ? RequestLow + (core * StrideBytes) : Low + ((core - RequestCount) * SpawnStrideBytes)) + StackPlan.GuardBytes;
    }

    /// <summary>Usable bytes of a core's stack.</summary>
    internal nint BytesOf(int core) => core < RequestCount ? StackBytes : SpawnStrideBytes - StackPlan.GuardBytes;

    /// <summary>Usable bytes of the hub thread's stack above <see cref="High"/>: the main stack's.</summary>
    public nint AboveBytes { get; }

    /// <summary>Calls an action with each core's number, the lowest usable address of its stack and its bytes.</summary>
    public void ForEach(Action<int, nint, nint> action)
    {
        for (int core = 0; core < Count; core++) action(core, StackLow(core), BytesOf(core));
    }

    /// <summary>True when the calling code runs on one of these stacks. May be asked on any thread.</summary>
    public bool HoldCaller()
    {
        nint here = ThreadStack.CurrentAddress();
        return here >= Low && here < High;
    }

    /// <summary>
    /// Takes the guard pages away. Needed before the hub thread ends in a process that goes on (tests do that): glibc gives the stacks of ended threads to
    /// new ones and knows nothing of our guard pages. A worker does not need it.
    /// </summary>
    public void Dispose()
    {
        while (_guarded > 0) PageProtection.ReadWrite(GuardAddress(--_guarded), StackPlan.GuardBytes);
    }

    private static StackPlan Plan(StackSizes sizes) => new(sizes.Cores, sizes.StackPages, MaxMappings(), sizes.SpawnCores, sizes.SpawnPages);

    private static long MaxMappings()
    {
        try
        {
            return long.Parse(File.ReadAllText(MaxMappingsFile), CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return DefaultMaxMappings;
        }
    }

    // In the order of addresses. Guard number Count is the one above the last stack; it also ends a main stack that grew too deep.
    private nint GuardAddress(int number)
        => number < _plan.SpawnCores ? Low + (number * SpawnStrideBytes) : RequestLow + ((number - _plan.SpawnCores) * StrideBytes);

    private void Guard()
    {
        try
        {
            for (; _guarded <= Count; _guarded++) PageProtection.None(GuardAddress(_guarded), StackPlan.GuardBytes);
        }
        catch (LinuxException)
        {
            Dispose();
            throw;
        }
    }
}
