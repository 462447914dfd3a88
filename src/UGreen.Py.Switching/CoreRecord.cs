using System.Runtime.InteropServices;

namespace UGreen.Py.Switching;

/// <summary>
/// What the machine code and C# know in common about one core. It lives in native memory that is never moved and never freed, because the trampoline may
/// be called for as long as the process lives.
/// <para>
/// Invariant: <see cref="GreenSp"/> is not 0 exactly while there is something to resume, that is, after Prepare and while parked; it is 0 while the green
/// thread runs, after it finished and before the first Prepare.
/// </para>
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = CoreRecordLayout.Bytes)]
internal struct CoreRecord
{
    /// <summary>Lowest usable address of the green stack; the guard page ends here. Constant.</summary>
    [FieldOffset(CoreRecordLayout.StackLow)]
    public nint StackLow;

    /// <summary>Usable size of the green stack in bytes. Constant.</summary>
    [FieldOffset(CoreRecordLayout.StackBytes)]
    public nint StackBytes;

    /// <summary>The green thread's stack pointer while it is prepared or parked, else 0.</summary>
    [FieldOffset(CoreRecordLayout.GreenSp)]
    public nint GreenSp;

    /// <summary>The main stack's pointer while the green thread runs. Written and read by the direct switch only.</summary>
    [FieldOffset(CoreRecordLayout.HubSp)]
    public nint HubSp;

    /// <summary>First argument of the hub call that is waiting: the self of its PyCFunction, a borrowed reference.</summary>
    [FieldOffset(CoreRecordLayout.Self)]
    public nint Self;

    /// <summary>Second argument: PyObject*const*, valid until the next Resume, since the caller's frame holds the objects.</summary>
    [FieldOffset(CoreRecordLayout.Args)]
    public nint Args;

    /// <summary>Third argument, raw: the high bit may be set (PY_VECTORCALL_ARGUMENTS_OFFSET).</summary>
    [FieldOffset(CoreRecordLayout.NArgs)]
    public nint NArgs;

    /// <summary>Fourth argument: a tuple of keyword names, or 0.</summary>
    [FieldOffset(CoreRecordLayout.KwNames)]
    public nint KwNames;

    /// <summary>Handed to the green thread by the next Resume, which leaves 0 here; after the end, what the callable returned.</summary>
    [FieldOffset(CoreRecordLayout.Result)]
    public nint Result;

    /// <summary>What a fresh green thread calls.</summary>
    [FieldOffset(CoreRecordLayout.Callable)]
    public nint Callable;

    /// <summary>ucontext_t of the green thread; posix only.</summary>
    [FieldOffset(CoreRecordLayout.GreenContext)]
    public nint GreenContext;

    /// <summary>ucontext_t of the main stack while the green thread runs; posix only.</summary>
    [FieldOffset(CoreRecordLayout.HubContext)]
    public nint HubContext;

    /// <summary>The frame (<see cref="WaitFrameLayout"/>) of a call of the C library that waits, on the green stack; valid until the next Resume.</summary>
    [FieldOffset(CoreRecordLayout.Wait)]
    public nint Wait;

    /// <summary>Index of the core. Constant.</summary>
    [FieldOffset(CoreRecordLayout.Number)]
    public int Number;
}
