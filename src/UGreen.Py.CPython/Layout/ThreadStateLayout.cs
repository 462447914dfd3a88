namespace UGreen.Py.CPython.Layout;

/// <summary>
/// Where the fields of <c>PyThreadState</c> are in one CPython version: offsets in bytes, <see cref="Absent"/> where the version has no such field.
/// <para>
/// Only data. The tables (<c>ThreadStateLayout311.g.cs</c> …) are written by <c>tools/layout/generate</c>, which asks the C compiler; nothing here is counted by hand.
/// What a switch does with each field is decided in <see cref="ThreadStateAnswers"/>.
/// </para>
/// <code>
///  PyThreadState                                       what a green thread owns of it
///  +------------------+
///  | recursion_…      |  how deep its Python stack is
///  | cframe        ---|-->  _PyCFrame, on its C stack: current_frame --> the Python frames
///  | exc_info      ---|--+  top of the stack of exceptions being handled; its bottom entry is ...
///  | dict             |  |  thread-locals                                          (the core's)
///  | trash_…          |  |  how deep it is in nested deallocations, and what waits for their end
///  | context          |  |  contextvars
///  | datastack_…   ---|--|-> chunks that hold its Python frames                     (the core's)
///  | exc_state     &lt;--|--+  ... this struct, inside the thread state
///  +------------------+
/// </code>
/// </summary>
public sealed record ThreadStateLayout
{
    /// <summary>The offset of a field that this version does not have.</summary>
    public const int Absent = -1;

    /// <summary>PY_VERSION of the headers that the table was written from. Within one minor version the layout is fixed once it was released.</summary>
    public required string HeaderVersion { get; init; }

    public required int Major { get; init; }

    public required int Minor { get; init; }

    /// <summary>sizeof(void *) of the compiler that was asked: a table serves every CPU with this size and C's usual alignment.</summary>
    public required int PointerSize { get; init; }

    /// <summary>sizeof(PyThreadState), the public struct. From 3.13 on bug-fix releases make it longer, so the library's own word counts: see <see cref="ForSize"/>.</summary>
    public required int ThreadStateSize { get; init; }

    /// <summary>3.13+: sizeof(_PyThreadStateImpl), which begins with the public struct.</summary>
    public required int ImplSize { get; init; }

    public required int Interp { get; init; }

    // ---- Where Python code is: the chain of frames -----------------------------------------------------------------------------------------------------

    /// <summary>3.10: the current frame object.</summary>
    public required int Frame { get; init; }

    /// <summary>3.10 to 3.12: the innermost <c>_PyCFrame</c>, a record on the C stack of the evaluation loop.</summary>
    public required int CFrame { get; init; }

    /// <summary>3.13+: the current interpreter frame.</summary>
    public required int CurrentFrame { get; init; }

    /// <summary>3.15+: pointer to the frame at the bottom of every stack; before, that is null.</summary>
    public required int BaseFrame { get; init; }

    /// <summary>3.15+: up to which frame a profiler in another process knows the stack, and a number that it gives.</summary>
    public required int LastProfiledFrame { get; init; }

    public required int LastProfiledFrameSeq { get; init; }

    /// <summary>3.13, builds with a JIT: the code that was left last.</summary>
    public required int PreviousExecutor { get; init; }

    /// <summary>3.14+, builds with a JIT: the code that runs.</summary>
    public required int CurrentExecutor { get; init; }

    /// <summary>3.15+, builds with a JIT.</summary>
    public required int JitExit { get; init; }

    /// <summary>3.10: counts up.</summary>
    public required int RecursionDepth { get; init; }

    /// <summary>3.11: counts down from <see cref="RecursionLimit"/>.</summary>
    public required int RecursionRemaining { get; init; }

    /// <summary>3.11. Never swapped, see <see cref="ThreadStateAnswers"/>; depth = limit − remaining is what stays true when the limit changes.</summary>
    public required int RecursionLimit { get; init; }

    /// <summary>Above 0 while an error is being reported: allows 50 calls more.</summary>
    public required int RecursionHeadroom { get; init; }

    /// <summary>3.12+: Python calls left.</summary>
    public required int PyRecursionRemaining { get; init; }

    /// <summary>3.12+.</summary>
    public required int PyRecursionLimit { get; init; }

    /// <summary>3.12, 3.13: C calls left.</summary>
    public required int CRecursionRemaining { get; init; }

    /// <summary>3.14+: the C stack's limits. Lower addresses are deeper.</summary>
    public required int CStackTop { get; init; }

    public required int CStackSoftLimit { get; init; }

    public required int CStackHardLimit { get; init; }

    // ---- 3.11+: the chunks that Python frames are allocated from ---------------------------------------------------------------------------------------

    public required int DataStackChunk { get; init; }

    public required int DataStackTop { get; init; }

    public required int DataStackLimit { get; init; }

    // ---- Exceptions -------------------------------------------------------------------------------------------------------------------------------------

    /// <summary>3.12+: the exception on its way.</summary>
    public required int CurrentException { get; init; }

    /// <summary>Pointer to the top of the stack of exceptions being handled. Never null; points at <see cref="ExcState"/> when nothing is nested.</summary>
    public required int ExcInfo { get; init; }

    /// <summary>The bottom entry of that stack, a struct inside the thread state. All zero means "no exception is being handled".</summary>
    public required int ExcState { get; init; }

    public required int ExcStateSize { get; init; }

    // ---- Identity and contextvars -----------------------------------------------------------------------------------------------------------------------

    /// <summary>Holds every <c>threading.local</c>; from 3.13 on what C code keeps for each thread.</summary>
    public required int Dict { get; init; }

    /// <summary>3.13+: the key under which each <c>threading.local</c> has this thread's attributes; null before the first.</summary>
    public required int ThreadingLocalKey { get; init; }

    /// <summary>3.13+: what tells the <c>threading.local</c>s that the thread has ended; goes with the key.</summary>
    public required int ThreadingLocalSentinel { get; init; }

    /// <summary>3.13+: the event loop that runs.</summary>
    public required int AsyncioRunningLoop { get; init; }

    /// <summary>3.14+: its task that runs.</summary>
    public required int AsyncioRunningTask { get; init; }

    public required int Context { get; init; }

    /// <summary>64 bits; each ContextVar caches its value together with this number, so every change of <see cref="Context"/> must change it to one never used before.</summary>
    public required int ContextVer { get; init; }

    /// <summary>OS thread (pthread_self) that made the thread state.</summary>
    public required int ThreadId { get; init; }

    /// <summary>Number of the thread state within its interpreter.</summary>
    public required int Id { get; init; }

    // ---- Deallocation ("trashcan") ----------------------------------------------------------------------------------------------------------------------

    /// <summary>Up to 3.12 (there inside <c>trash</c>).</summary>
    public required int TrashDeleteNesting { get; init; }

    /// <summary><c>trash_delete_later</c>, in 3.12 inside <c>trash</c>, from 3.13 <c>delete_later</c>.</summary>
    public required int TrashDeleteLater { get; init; }

    /// <summary>The hooks of sys.set_asyncgen_hooks(), which an event loop sets while it runs.</summary>
    public required int AsyncGenFirstIter { get; init; }

    public required int AsyncGenFinalizer { get; init; }

    /// <summary>3.13+: matters in the free-threaded build only.</summary>
    public required int CriticalSection { get; init; }

    // ---- 3.13+: where _Py_DebugOffsets, with which _PyRuntime begins, has the running library's own numbers ----------------------------------------------

    public required int DebugFreeThreaded { get; init; }

    public required int DebugSize { get; init; }

    public required int DebugInterp { get; init; }

    public required int DebugCurrentFrame { get; init; }

    public required int DebugThreadId { get; init; }

    public required int DebugDataStackChunk { get; init; }

    // ---- struct _PyCFrame -------------------------------------------------------------------------------------------------------------------------------

    public required int CFrameSize { get; init; }

    /// <summary>Up to 3.11; one byte in 3.11.</summary>
    public required int CFrameUseTracing { get; init; }

    /// <summary>3.11, 3.12: the current interpreter frame, null where no Python code runs.</summary>
    public required int CFrameCurrentFrame { get; init; }

    public required int CFramePrevious { get; init; }

    // ---- struct _stack_chunk ----------------------------------------------------------------------------------------------------------------------------

    public required int StackChunkSize { get; init; }

    public required int StackChunkPrevious { get; init; }

    /// <summary>The member <c>size</c>: bytes of this chunk, its head included.</summary>
    public required int StackChunkBytes { get; init; }

    public required int StackChunkTop { get; init; }

    /// <summary>First cell. CPython leaves cell 0 of the first chunk unused, so that the first chunk is never popped.</summary>
    public required int StackChunkData { get; init; }

    /// <summary>All members of <c>struct _ts</c> in order.</summary>
    public required IReadOnlyList<ThreadStateField> Fields { get; init; }

    /// <summary>"3.11".</summary>
    public string MinorVersion => $"{Major}.{Minor}";

    /// <summary>
    /// The same for a library whose public struct has this size: what lies behind it moves with its end. Bug-fix releases only ever added members at that end, so the fields of the table
    /// that end after a shorter struct are not there.
    /// </summary>
    public ThreadStateLayout ForSize(int threadStateSize)
    {
        var moved = threadStateSize - ThreadStateSize;
        if (moved == 0) return this;
        int Behind(int offset) => offset < 0 ? Absent : offset + moved;
        return this with
        {
            ThreadStateSize = threadStateSize,
            ImplSize = Behind(ImplSize),
            CStackTop = Behind(CStackTop),
            CStackSoftLimit = Behind(CStackSoftLimit),
            CStackHardLimit = Behind(CStackHardLimit),
            AsyncioRunningLoop = Behind(AsyncioRunningLoop),
            AsyncioRunningTask = Behind(AsyncioRunningTask),
            Fields =
            [
                .. Fields.Where(field => field.Offset < ThreadStateSize && field.Offset + field.Size <= threadStateSize),
                .. Fields.Where(field => field.Offset >= ThreadStateSize).Select(field => field with { Offset = field.Offset + moved }),
            ],
        };
    }

    /// <summary>The fields that a switch saves and restores.</summary>
    public IEnumerable<ThreadStateField> SwapSet => Fields.Where(member => ThreadStateAnswers.Find(member.Name) is { Role: ThreadStateRole.Swapped });
}
