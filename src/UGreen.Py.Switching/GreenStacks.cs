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

    private GreenStacks(StackPlan plan, nint low)
    {
        _plan = plan;
        Low = low;
    }

    /// <summary>Number of stacks.</summary>
    public int Count => _plan.Cores;

    /// <summary>Address of the lowest guard page.</summary>
    public nint Low { get; }

    /// <summary>First address above the highest guard page.</summary>
    public nint High => Low + (nint)_plan.RegionBytes;

    /// <summary>Usable bytes of each stack.</summary>
    public nint StackBytes => (nint)_plan.StackBytes;

    /// <summary>Usable pages of 4 KiB of each stack.</summary>
    public int StackPages => _plan.StackPages;

    internal nint StrideBytes => (nint)_plan.StrideBytes;

    /// <summary>Pages of 4 KiB for each stack when the user gives no number: 1,024, or as many as fit for so many cores, but not less than 256.</summary>
    public static int DefaultPages(int cores) => StackPlan.DefaultPages(cores);

    /// <summary>Bytes of thread stack to ask for as <c>maxStackSize</c> of the hub thread.</summary>
    /// <param name="cores">Number of green stacks, from 1.</param>
    /// <param name="stackPages">Usable pages of 4 KiB of each, from 16.</param>
    /// <exception cref="StackReservationException">It does not fit in one thread's stack (2 GiB) or in vm.max_map_count; the message says what would.</exception>
    public static int ReserveBytes(int cores, int stackPages) => new StackPlan(cores, stackPages, MaxMappings()).ReserveBytes;

    /// <summary>Carves the stacks out of the calling thread's, which must be the hub's, started with <see cref="ReserveBytes"/>. Called near its first frame.</summary>
    /// <param name="cores">As given to <see cref="ReserveBytes"/>.</param>
    /// <param name="stackPages">As given to <see cref="ReserveBytes"/>.</param>
    /// <exception cref="StackReservationException">As <see cref="ReserveBytes"/>.</exception>
    /// <exception cref="InvalidOperationException">The thread's stack is too small for it.</exception>
    /// <exception cref="LinuxException">A guard page could not be set.</exception>
    public static GreenStacks Carve(int cores, int stackPages)
    {
        StackPlan plan = new(cores, stackPages, MaxMappings());
        StackBounds thread = ThreadStack.Current();
        nint low = (thread.Low + StackPlan.LowSlackBytes + StackPlan.PageBytes - 1) & ~(nint)(StackPlan.PageBytes - 1);
        GreenStacks stacks = new(plan, low);

        // The frames above this one have used something already; half of the reserve is what must be left at least.
        if (stacks.High + (StackPlan.HubReserveBytes / 2) > ThreadStack.CurrentAddress())
        {
            throw new InvalidOperationException(
                $"The hub thread has {thread.Bytes} bytes of stack, too few for {cores} green stacks of {stackPages} pages: start it with ReserveBytes.");
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
        return GuardAddress(core) + StackPlan.GuardBytes;
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

    // Guard number Count is the one above the last stack; it also ends a main stack that grew too deep.
    private nint GuardAddress(int number) => Low + (number * StrideBytes);

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
