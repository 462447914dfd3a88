using System.Runtime.InteropServices;
using UGreen.Py.Machine;
using UGreen.Py.Native;

namespace UGreen.Py.Switching;

/// <summary>The switch by the C library's ucontext functions; see x64-posix.s.</summary>
internal sealed unsafe class PosixSwitch : GreenSwitch
{
    private readonly delegate* unmanaged<nint, nint, int> _swapContext;
    private readonly delegate* unmanaged<nint, int> _getContext;
    private readonly delegate* unmanaged<nint, nint, int, void> _makeContext;

    // SAFETY: the C prototypes are int swapcontext(ucontext_t*, ucontext_t*), int getcontext(ucontext_t*), void makecontext(ucontext_t*, void (*)(), int, ...);
    // a variadic function called with no variadic argument takes its fixed ones like any other. The words written are those of the base class's data page.
    public PosixSwitch(GreenStacks stacks, nint callNoArgs, nint fallback)
        : base(X64PosixTrampoline.Build(), stacks, callNoArgs, fallback)
    {
        nint swapContext = DynamicLibrary.GlobalSymbol("swapcontext");
        _swapContext = (delegate* unmanaged<nint, nint, int>)swapContext;
        _getContext = (delegate* unmanaged<nint, int>)DynamicLibrary.GlobalSymbol("getcontext");
        _makeContext = (delegate* unmanaged<nint, nint, int, void>)DynamicLibrary.GlobalSymbol("makecontext");
        *(nint*)(Page.Data + TrampolineData.SwapContext) = swapContext;
        *(nint*)(Page.Data + TrampolineData.SetContext) = DynamicLibrary.GlobalSymbol("setcontext");
        foreach (GreenCore core in Cores)
        {
            core.Record->GreenContext = AllocateContext();
            core.Record->HubContext = AllocateContext();
        }
    }

    /// <inheritdoc/>
    public override Arrival Enter(GreenCore core)
    {
        CoreRecord* record = core.Record;
        RequireResumable(record);

        // SAFETY: GreenSp was not 0, so GreenContext was filled by makecontext or by the swapcontext of a hub call. The cell is set a moment before control
        // passes; until then this thread runs nothing that could make a hub call.
        record->GreenSp = 0;
        *Cell = (nint)record;
        if (_swapContext(record->HubContext, record->GreenContext) != 0) throw new InvalidOperationException("swapcontext failed.");
        return record->GreenSp != 0 ? Arrival.HubCall : Arrival.Finished;
    }

    // SAFETY: see the base. getcontext fills what makecontext does not: the signal mask and the floating-point environment, here the main stack's.
    private protected override void BuildFrame(CoreRecord* record)
    {
        nint context = record->GreenContext;
        _ = _getContext(context);
        *(nint*)(context + PosixContextLayout.Link) = 0;
        *(nint*)(context + PosixContextLayout.StackLow) = record->StackLow;
        *(nint*)(context + PosixContextLayout.StackBytes) = record->StackBytes;
        _makeContext(context, Entry, 0);
        record->GreenSp = record->StackLow + record->StackBytes;
    }

    private static nint AllocateContext()
    {
        // SAFETY: zeroed, aligned, larger than ucontext_t, never freed or moved: glibc stores a pointer into the context in the context.
        void* context = NativeMemory.AlignedAlloc(PosixContextLayout.AllocatedBytes, PosixContextLayout.Alignment);
        NativeMemory.Clear(context, PosixContextLayout.AllocatedBytes);
        return (nint)context;
    }
}
