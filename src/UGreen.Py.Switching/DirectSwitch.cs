using UGreen.Py.Machine;

namespace UGreen.Py.Switching;

/// <summary>The switch by our own machine code; see x64.s.</summary>
internal sealed unsafe class DirectSwitch : GreenSwitch
{
    private readonly delegate* unmanaged<nint, int> _resume;

    // SAFETY: the address is that of resume in code of the base class's page, whose C signature is int (core).
    public DirectSwitch(GreenStacks stacks, nint callNoArgs, nint fallback)
        : this(X64Trampoline.Build(), stacks, callNoArgs, fallback)
    {
    }

    private DirectSwitch(X64Code code, GreenStacks stacks, nint callNoArgs, nint fallback)
        : base(code, stacks, callNoArgs, fallback) =>
        _resume = (delegate* unmanaged<nint, int>)(Page.Address + code.Labels[X64Prologue.Resume]);

    /// <inheritdoc/>
    public override Arrival Enter(GreenCore core)
    {
        // SAFETY: RequireResumable proved that GreenSp points at a switch frame. The call is an ordinary transition to native code: the collector sees this
        // thread as being in native code and runs when it wants to; no managed frame is above this one while the green thread runs.
        RequireResumable(core.Record);
        return (Arrival)_resume((nint)core.Record);
    }

    // SAFETY: see the base. The frame and the end record fill the topmost bytes of the stack, whose high end is page-aligned and so aligned for entry's call.
    private protected override void BuildFrame(CoreRecord* record)
    {
        byte* frame = (byte*)(record->StackLow + record->StackBytes - SwitchFrameLayout.EndRecordBytes - SwitchFrameLayout.Bytes);

        // The registers start as 0. Of these rbp matters: the CLR's unwinder, which reports an overflow, has no table for entry, follows rbp and ends at 0.
        new Span<byte>(frame, SwitchFrameLayout.Bytes + SwitchFrameLayout.EndRecordBytes).Clear();
        *(int*)(frame + SwitchFrameLayout.Mxcsr) = SwitchFrameLayout.InitialMxcsr;
        *(int*)(frame + SwitchFrameLayout.X87) = SwitchFrameLayout.InitialX87;
        *(nint*)(frame + SwitchFrameLayout.Return) = Entry;
        record->GreenSp = (nint)frame;
    }
}
