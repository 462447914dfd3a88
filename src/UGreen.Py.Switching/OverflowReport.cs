using System.Text;
using UGreen.Py.Machine;
using UGreen.Py.Native;

namespace UGreen.Py.Switching;

/// <summary>
/// Says which core's stack overflowed before the process dies. The handler is machine code made beforehand: after an overflow neither C# nor malloc may run.
/// It writes one line to standard error, takes itself away and returns: the kernel runs the faulting instruction again and ends the process by SIGSEGV. The CLR's own
/// report is not asked for: it allocates, and code that overflowed inside malloc holds malloc's lock, so the worker would hang instead of ending. Every other fault
/// goes to the handler that was there before, the CLR's.
/// </summary>
public static unsafe class OverflowReport
{
    // The digits are patched in place: 5 of them, as vm.max_map_count allows some 30,000 cores by default and 2 GiB of stacks as many at most.
    private const string GreenStart = "ugreen-py: the green stack of core ";
    private const string Digits = "00000";

    /// <summary>Address of the installed handler; 0 before.</summary>
    public static nint Handler { get; private set; }

    private static readonly Lock s_gate = new();
    private static bool s_installed;

    /// <summary>Installs the handler for the rest of the process's life. Called once, by the worker, after the stacks were carved.</summary>
    /// <exception cref="InvalidOperationException">It is installed already, or the runtime has no SIGSEGV handler of the usual kind.</exception>
    /// <exception cref="LinuxException">No executable page, or sigaction failed.</exception>
    /// <param name="stacks">The carved stacks.</param>
    /// <param name="tellFd">A descriptor that gets the line, too, for whoever watches the process; -1: none.</param>
    public static void Install(GreenStacks stacks, int tellFd = -1)
    {
        ArgumentNullException.ThrowIfNull(stacks);
        lock (s_gate)
        {
            if (s_installed) throw new InvalidOperationException("The overflow report is installed already.");
            InstallHandler(stacks, tellFd);
            s_installed = true;
        }
    }

    private static void InstallHandler(GreenStacks stacks, int tellFd)
    {
        X64Code code = X64OverflowHandler.Build();
        CodePage page = CodePage.Create(code.Bytes, OverflowData.Bytes);

        // SAFETY: a struct of the right size and layout; on failure it is not used.
        SignalAction action;
        if (Libc.sigaction(Libc.Signal.Segv, null, &action) != 0) throw LinuxException.Last("sigaction");
        if (action.Handler is Libc.Signal.Default or Libc.Signal.Ignore || (action.Flags & Libc.Signal.FlagSigInfo) == 0
            || (action.Flags & Libc.Signal.FlagOnStack) == 0)
        {
            throw new InvalidOperationException("The .NET runtime has no SIGSEGV handler on an alternate stack; the overflow report builds on that.");
        }

        Fill(page, stacks, action.Handler);
        Word(page, OverflowData.TellFd, tellFd);

        // Flags and mask stay as they are: the old handler must find the world as it asked for it.
        action.Handler = page.Address + code.Labels[X64OverflowHandler.Handler];
        if (Libc.sigaction(Libc.Signal.Segv, &action, null) != 0) throw LinuxException.Last("sigaction");
        Handler = action.Handler;
    }

    private static void Fill(CodePage page, GreenStacks stacks, nint oldHandler)
    {
        string green = $"{GreenStart}{Digits} overflowed ({stacks.StackPages} pages = {stacks.StackBytes / 1024} KiB). "
            + "Runaway C recursion, or --ugreen-stacksize is too small; the worker ends.\n";
        string spawned = $"{GreenStart}{Digits} overflowed ({stacks.SpawnPages} pages = {(long)stacks.SpawnPages * StackPlan.PageBytes / 1024} KiB), of a spawned green thread. "
            + "Runaway C recursion, or less --ugreen-spawn-max must leave room for larger stacks; the worker ends.\n";
        string main = $"ugreen-py: the main stack overflowed ({StackPlan.HubReserveBytes / 1024} KiB): runaway C recursion outside of a request; the worker ends.\n";
        Word(page, OverflowData.OldHandler, oldHandler);
        Word(page, OverflowData.Low, stacks.RequestLow);
        Word(page, OverflowData.RegionBytes, stacks.High - stacks.RequestLow);
        Word(page, OverflowData.Stride, stacks.StrideBytes);
        Word(page, OverflowData.GuardBytes, StackPlan.GuardBytes);
        Word(page, OverflowData.Cores, stacks.RequestCount);
        Word(page, OverflowData.SpawnLow, stacks.Low);
        Word(page, OverflowData.SpawnRegionBytes, stacks.RequestLow - stacks.Low);
        Word(page, OverflowData.SpawnStride, stacks.SpawnStrideBytes);
        Word(page, OverflowData.MinusCores, -stacks.RequestCount);
        Word(page, OverflowData.GreenBytes, Text(page, OverflowData.GreenText, OverflowData.MainText - OverflowData.GreenText, green));
        Word(page, OverflowData.MainBytes, Text(page, OverflowData.MainText, OverflowData.SpawnText - OverflowData.MainText, main));
        Word(page, OverflowData.SpawnBytes, Text(page, OverflowData.SpawnText, OverflowData.DefaultAction - OverflowData.SpawnText, spawned));
    }

    // SAFETY: the data page is writable and the offset is one of OverflowData's, all of them aligned and inside it.
    private static void Word(CodePage page, int offset, nint value) => *(nint*)(page.Data + offset) = value;

    // SAFETY: the span is the room that OverflowData leaves for the text; Encoding throws when the text does not fit.
    private static int Text(CodePage page, int offset, int room, string text) => Encoding.ASCII.GetBytes(text, new Span<byte>((void*)(page.Data + offset), room));
}
