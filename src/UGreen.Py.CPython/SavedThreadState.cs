using System.Runtime.InteropServices;

namespace UGreen.Py.CPython;

/// <summary>
/// What one green thread (or the hub itself) owns of the interpreter's thread state while it does not run; the swap set of design section 5.
/// Lives in native memory: <see cref="BaseCFrame"/> is pointed to by Python frames, so it must not move.
/// Field order: what every switch touches first, so that it shares cache lines: two, up to the second word of <see cref="ExcState"/>. The size is five, of which those of 3.11 are three.
/// </summary>
// SAFETY: a plain record; its fixed buffers are only indexed below the constants that size them, which ThreadStateSwap checks against the layout table.
[StructLayout(LayoutKind.Sequential, Size = CacheLines * 64)]
internal unsafe struct SavedThreadState
{
    public nint CFrame;
    public nint CurrentFrame;
    public nint ExcInfo;
    public nint Dict;
    public nint Context;

    /// <summary>The thread state's unique id, one for each core: _asyncio caches the running event loop under it.</summary>
    public ulong Id;
    public nint DataStackChunk;
    public nint DataStackTop;
    public nint DataStackLimit;

    /// <summary>How deep Python recursion is. The depth and not the remaining count: sys.setrecursionlimit() may change the limit while this state is parked.</summary>
    public int RecursionDepth;

    /// <summary>Above 0 while an error about too deep recursion is being reported on this stack.</summary>
    public int RecursionHeadroom;
    public int TrashDeleteNesting;

    /// <summary>The hooks of the event loop that runs on this stack.</summary>
    public nint AsyncGenFirstIter;
    public nint AsyncGenFinalizer;

    /// <summary>What <see cref="ThreadStateSwap.ShareOut"/> divides: a C library's own word for this core.</summary>
    public nint LibraryWord;

    /// <summary>The thread state's embedded exception stack entry: exc_value (and previous_item).</summary>
    public fixed long ExcState[ExcStateWords];

    /// <summary>Objects whose deallocation waits for the end of the nested ones of this stack.</summary>
    public nint TrashDeleteLater;

    /// <summary>The outermost _PyCFrame of this green thread, with no frame in it.</summary>
    public fixed long BaseCFrame[BaseCFrameWords];

    // ---- 3.12 and later: last, so that they cost earlier versions nothing -----------------------------------------------------------------------------------

    /// <summary>What this core's <c>threading.local</c>s know it by.</summary>
    public nint LocalKey;
    public nint LocalSentinel;

    /// <summary>This core's C stack, as CPython compares its stack pointer; set once.</summary>
    public nint CStackTop;
    public nint CStackSoftLimit;
    public nint CStackHardLimit;

    /// <summary>asyncio's loop that runs on this stack, and its task.</summary>
    public nint RunningLoop;
    public nint RunningTask;

    /// <summary>Code of the JIT that runs, or ran last, on this stack.</summary>
    public nint Executor;
    public nint JitExit;

    public nint LastProfiledFrame;
    public nint LastProfiledFrameSeq;

    /// <summary>C calls that this stack has left, and how many that are at its beginning.</summary>
    public int CCallsRemaining;
    public int CCallsAtStart;

    internal const int CacheLines = 5;
    public const int ExcStateWords = 4;
    public const int BaseCFrameWords = 5;
}
