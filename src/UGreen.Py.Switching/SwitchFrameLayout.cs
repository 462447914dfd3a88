namespace UGreen.Py.Switching;

/// <summary>
/// What a stack that is switched away from holds at its saved stack pointer, as offsets in bytes from it. The same frame is pushed on the main stack by
/// resume and on a green stack by hubcall, and Prepare writes it by hand for a green thread that never ran. SwitchContract.md draws it.
/// </summary>
internal static class SwitchFrameLayout
{
    /// <summary>mxcsr, 4 bytes: rounding mode and exception masks of SSE. The ABI lets a called function change its status bits but not its control bits.</summary>
    public const int Mxcsr = 0;

    /// <summary>x87 control word, 2 bytes; two more are padding.</summary>
    public const int X87 = 4;

    public const int R15 = 8;
    public const int R14 = 16;
    public const int R13 = 24;
    public const int R12 = 32;
    public const int Rbx = 40;

    /// <summary>Directly below the return address, so that the two form a frame record and debuggers walk through a switch.</summary>
    public const int Rbp = 48;

    /// <summary>Where the stack goes on: the caller of hubcall or resume, or entry on a fresh stack.</summary>
    public const int Return = 56;

    /// <summary>Size of the frame.</summary>
    public const int Bytes = 64;

    /// <summary>Bytes that the two control words take; pushed and popped as one step.</summary>
    public const int ControlBytes = R15;

    /// <summary>Above a fresh frame: two zero words in the place of a return address and a saved rbp. They also keep entry's stack 16-byte aligned.</summary>
    public const int EndRecordBytes = 16;

    /// <summary>Control words that the ABI gives a new process. A request starts with these and not with what some library left on the main stack.</summary>
    public const int InitialMxcsr = 0x1F80;

    /// <inheritdoc cref="InitialMxcsr"/>
    public const int InitialX87 = 0x037F;
}
