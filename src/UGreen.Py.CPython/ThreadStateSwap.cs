using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using UGreen.Py.CPython.Api;
using UGreen.Py.CPython.Layout;
using UGreen.Py.Native;

namespace UGreen.Py.CPython;

/// <summary>
/// Exchanges the part of the hub thread's <c>PyThreadState</c> that belongs to a green thread. Everything here runs on the hub thread with the GIL held.
/// <para>
/// Invariant: exactly one saved state is "in" (its values are in the thread state, its own copy is stale). <see cref="Activate"/> copies the one that is in out and
/// another in, with nothing in between; before the first call the hub's own state is in.
/// </para>
/// <para>
/// Ownership: a saved state owns one reference to each of context, dict and exc_value, exactly the references that the thread state owned: the swap moves
/// pointers and never counts.
/// </para>
/// <para>The offsets are static readonly, so the tiered JIT compiles them in as constants and drops the branches for fields that the running version does not have.</para>
/// </summary>
// SAFETY: every access is the thread state or a SavedThreadState at an offset from the layout table that LayoutProbe has checked; one thread, GIL held.
public sealed unsafe class ThreadStateSwap
{
    private static readonly int s_cframe = Interpreter.Layout.CFrame;
    private static readonly int s_currentFrame = Interpreter.Layout.CurrentFrame;
    private static readonly int s_excInfo = Interpreter.Layout.ExcInfo;
    private static readonly int s_excState = Interpreter.Layout.ExcState;
    private static readonly int s_excStateWords = Interpreter.Layout.ExcStateSize / sizeof(long);
    private static readonly int s_dict = Interpreter.Layout.Dict;
    private static readonly int s_context = Interpreter.Layout.Context;
    private static readonly int s_id = Interpreter.Layout.Id;
    private static readonly int s_contextVer = Interpreter.Layout.ContextVer;
    private static readonly int s_chunk = Interpreter.Layout.DataStackChunk;
    private static readonly int s_top = Interpreter.Layout.DataStackTop;
    private static readonly int s_limit = Interpreter.Layout.DataStackLimit;
    private static readonly int s_remaining = First(Interpreter.Layout.RecursionRemaining, Interpreter.Layout.PyRecursionRemaining);
    private static readonly int s_recursionLimit = First(Interpreter.Layout.RecursionLimit, Interpreter.Layout.PyRecursionLimit);
    private static readonly int s_headroom = Interpreter.Layout.RecursionHeadroom;
    private static readonly int s_trash = Interpreter.Layout.TrashDeleteNesting;
    private static readonly int s_trashLater = Interpreter.Layout.TrashDeleteLater;
    private static readonly int s_useTracing = Interpreter.Layout.CFrameUseTracing;
    private static readonly int s_cframeSize = Interpreter.Layout.CFrameSize;

    private static readonly int s_firstIter = Interpreter.Layout.AsyncGenFirstIter;
    private static readonly int s_finalizer = Interpreter.Layout.AsyncGenFinalizer;

    private static readonly int s_localKey = Interpreter.Layout.ThreadingLocalKey;
    private static readonly int s_localSentinel = Interpreter.Layout.ThreadingLocalSentinel;
    private static readonly int s_cCalls = Interpreter.Layout.CRecursionRemaining;
    private static readonly int s_stackTop = Interpreter.Layout.CStackTop;
    private static readonly int s_stackSoft = Interpreter.Layout.CStackSoftLimit;
    private static readonly int s_stackHard = Interpreter.Layout.CStackHardLimit;
    private static readonly int s_loop = Interpreter.Layout.AsyncioRunningLoop;
    private static readonly int s_task = Interpreter.Layout.AsyncioRunningTask;
    private static readonly int s_executor = First(Interpreter.Layout.PreviousExecutor, Interpreter.Layout.CurrentExecutor);
    private static readonly int s_jitExit = Interpreter.Layout.JitExit;
    private static readonly int s_baseFrame = Interpreter.Layout.BaseFrame;
    private static readonly int s_profiled = Interpreter.Layout.LastProfiledFrame;
    private static readonly int s_profiledSeq = Interpreter.Layout.LastProfiledFrameSeq;

    // More than a thread state has; Peek's stand-in is never written but for the fields that lead to the frames.
    private const int StandInBytes = 4096;

    private readonly byte* _ts;
    private readonly byte* _standIn;
    private readonly SavedThreadState* _states;
    private readonly int _count;
    private SavedThreadState* _active;

    // Without a library's word it is one of ours, which costs less than a branch.
    private nint* _libraryWord;
    private bool _wordGivenOut;

    /// <summary>Makes saved states for the hub (number -1) and for green threads 0 to <paramref name="greenThreads"/> - 1, on the hub thread.</summary>
    public ThreadStateSwap(int greenThreads)
    {
        if (s_excStateWords > SavedThreadState.ExcStateWords || s_cframeSize > SavedThreadState.BaseCFrameWords * sizeof(long))
            throw new PythonStartException("the layout table has a larger exc_state or _PyCFrame than SavedThreadState holds");
        _ts = (byte*)CApi.PyThreadState_Get();
        _count = greenThreads;
        _states = (SavedThreadState*)NativeMemory.AlignedAlloc((nuint)(sizeof(SavedThreadState) * (greenThreads + 1)), 64);
        NativeMemory.Clear(_states, (nuint)(sizeof(SavedThreadState) * (greenThreads + 1)));
        _libraryWord = (nint*)NativeMemory.AllocZeroed((nuint)sizeof(nint));
        _active = State(Hub);
        if (Interpreter.Layout.Fields.Any(field => field.Offset + field.Size > StandInBytes)) throw new PythonStartException("the layout table is larger than the stand-in of a thread state");
        _standIn = (byte*)NativeMemory.AllocZeroed(StandInBytes);

        for (var number = Hub; number < greenThreads; number++) Begin(number);
    }

    private void Begin(int number)
    {
        var s = State(number);

        // CPython counts thread states from 1, so these are never a real one's.
        if (number != Hub) s->Id = FirstGreenId + (ulong)number;
        if (s_cCalls >= 0) s->CCallsAtStart = s->CCallsRemaining = *(int*)(_ts + s_cCalls);
        if (s_stackTop < 0) return;
        s->CStackTop = *(nint*)(_ts + s_stackTop);
        s->CStackSoftLimit = *(nint*)(_ts + s_stackSoft);
        s->CStackHardLimit = *(nint*)(_ts + s_stackHard);
    }

    /// <summary>
    /// Tells CPython 3.12 and later where a stack ends, so that C code that calls itself without end gets a RecursionError. Until then a state has the limits of the OS thread.
    /// </summary>
    /// <param name="number">A green thread's, or <see cref="Hub"/>.</param>
    /// <param name="low">Lowest usable address.</param>
    /// <param name="bytes">Usable bytes above it.</param>
    public void LimitStack(int number, nint low, nint bytes)
    {
        var s = State(number);
        if (s_cCalls >= 0) s->CCallsAtStart = s->CCallsRemaining = CStackLimits.Calls(bytes);
        (s->CStackTop, s->CStackSoftLimit, s->CStackHardLimit) = CStackLimits.Addresses(low, bytes);
        if (s != _active) return;
        if (s_cCalls >= 0) *(int*)(_ts + s_cCalls) = s->CCallsRemaining;
        LoadStack(s);
    }

    /// <summary>Identity of core 0's thread state; the others follow.</summary>
    private const ulong FirstGreenId = 1UL << 40;

    /// <summary>The hub's own number.</summary>
    public const int Hub = -1;

    /// <summary>The hub thread's PyThreadState.</summary>
    public nint ThreadState => (nint)_ts;

    /// <summary>Whose state is in: a green thread's number or <see cref="Hub"/>.</summary>
    public int Active => (int)(_active - _states) - 1;

    /// <summary>Puts a state in, and the one that was in away. Nothing happens when it is in already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Activate(int number)
    {
        var next = State(number);
        if (next == _active) return;
        Save(_active);
        Load(next);
        _active = next;
    }

    /// <summary>
    /// From now on, a word of the hub thread's memory belongs to each core by itself. It is the variable in which a C library keeps a pointer to its state of the OS thread
    /// (<c>thread_local</c>), when that state describes stacks: greenlet's. The state that is in keeps the word's value, all others begin with <paramref name="fresh"/>.
    /// </summary>
    /// <returns>False: another word was given out before; there is room for one.</returns>
    public bool ShareOut(nint address, nint fresh)
    {
        if (_wordGivenOut) return (nint)_libraryWord == address;
        for (var number = Hub; number < _count; number++) State(number)->LibraryWord = fresh;
        NativeMemory.Free(_libraryWord);
        _libraryWord = (nint*)address;
        _wordGivenOut = true;
        return true;
    }

    /// <summary>A hint that this state is put in soon. Then <see cref="PrefetchFrame"/>, which needs it, may follow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchState(int number)
    {
        var address = (nint)State(number);
        Prefetch.Line(address);
        Prefetch.Line(address + Prefetch.LineBytes);
    }

    /// <summary>A hint that this state is put in very soon: the Python frame that it goes on with, which is the last one on its data stack.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchFrame(int number)
    {
        const int HotLines = 3;
        var top = State(number)->DataStackTop;
        for (var i = 1; i <= HotLines; i++) Prefetch.Line(top - (i * Prefetch.LineBytes));
    }

    /// <summary>
    /// Gives a green thread the state of a fresh start: no frame, no exception being handled, recursion depth 0, a fresh contextvars context. Its dict (thread-locals) and
    /// its data stack stay: they belong to the core, not to the request. The state must not be in.
    /// </summary>
    public void Renew(int number)
    {
        var s = State(number);
        if (s == _active) throw new InvalidOperationException("a green thread's state cannot be renewed while it is in");
        s->ExcInfo = (nint)(_ts + s_excState);
        for (var i = 0; i < s_excStateWords; i++) s->ExcState[i] = 0;
        s->Context = 0; // CPython makes one when a ContextVar is first set: fresh for the request and free for those that set none.
        s->RecursionDepth = 0;
        s->RecursionHeadroom = 0;
        s->TrashDeleteNesting = 0;

        // Where nesting is not counted (3.13), it waits for room on the stack, and what is left is the next one's to free.
        if (s_trash >= 0) s->TrashDeleteLater = 0;
        s->CurrentFrame = s_baseFrame >= 0 ? *(nint*)(_ts + s_baseFrame) : 0;
        s->CCallsRemaining = s->CCallsAtStart;
        s->RunningLoop = s->RunningTask = 0;
        s->Executor = s->JitExit = 0;
        s->LastProfiledFrame = s->LastProfiledFrameSeq = 0;
        if (s_cframe < 0) return;
        for (var i = 0; i < SavedThreadState.BaseCFrameWords; i++) s->BaseCFrame[i] = 0;

        // A tracer (coverage, a debugger) that was switched on for this thread also traces new green threads.
        var running = *(byte**)(_ts + s_cframe);
        if (s_useTracing >= 0) *((byte*)s->BaseCFrame + s_useTracing) = running[s_useTracing];
        s->CFrame = (nint)s->BaseCFrame;
    }

    /// <summary>
    /// Takes the contextvars context out of the state that is in, so that the caller can release it. To be called when a green thread has finished: no value that a
    /// request set may live on into the next one on the same core.
    /// </summary>
    public NewRef TakeContext()
    {
        var context = *(nint*)(_ts + s_context);
        *(nint*)(_ts + s_context) = 0;
        BumpContextVersion();
        return new NewRef(context);
    }

    /// <summary>
    /// Takes what is left of the handled exception out of the state that is in, so that the caller can release it. To be called when a green thread has finished: once an
    /// exception was handled, CPython leaves a counted None there, where a fresh start has NULL.
    /// </summary>
    public NewRef TakeHandledException()
    {
        var excValue = (nint*)(_ts + s_excState); // exc_value is the first field of _PyErr_StackItem in every version of the layout table.
        var left = *excValue;
        *excValue = 0;
        return new NewRef(left);
    }

    /// <summary>
    /// The Python frame of a state that is in or parked; NULL: it has none. The one way to look into a parked state: nothing is put in, because that would be the state with
    /// which the hub thread goes on, and no Python code runs, because that could let go of the GIL in the middle. Any thread, with the GIL.
    /// </summary>
    public NewRef PeekFrame(int number)
    {
        using var pause = CollectorPause.Begin();
        var state = State(number);
        if (state == _active) return CApi.PyThreadState_GetFrame((nint)_ts);

        // CPython follows these two from a thread state to its frames and looks at nothing else. Whoever holds the GIL has the stand-in to himself.
        if (s_cframe >= 0) *(nint*)(_standIn + s_cframe) = state->CFrame;
        if (s_currentFrame >= 0) *(nint*)(_standIn + s_currentFrame) = state->CurrentFrame;
        return CApi.PyThreadState_GetFrame((nint)_standIn);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private SavedThreadState* State(int number) => _states + (number + 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Save(SavedThreadState* s)
    {
        var ts = _ts;
        if (s_cframe >= 0) s->CFrame = *(nint*)(ts + s_cframe);
        if (s_currentFrame >= 0) s->CurrentFrame = *(nint*)(ts + s_currentFrame);
        s->ExcInfo = *(nint*)(ts + s_excInfo);
        s->Dict = *(nint*)(ts + s_dict);
        s->LibraryWord = *_libraryWord;
        s->Context = *(nint*)(ts + s_context);
        if (s_id >= 0) s->Id = *(ulong*)(ts + s_id);
        if (s_chunk >= 0)
        {
            s->DataStackChunk = *(nint*)(ts + s_chunk);
            s->DataStackTop = *(nint*)(ts + s_top);
            s->DataStackLimit = *(nint*)(ts + s_limit);
        }

        if (s_remaining >= 0) s->RecursionDepth = *(int*)(ts + s_recursionLimit) - *(int*)(ts + s_remaining);
        if (s_headroom >= 0) s->RecursionHeadroom = *(int*)(ts + s_headroom);
        if (s_trash >= 0) s->TrashDeleteNesting = *(int*)(ts + s_trash);
        if (s_trashLater >= 0) s->TrashDeleteLater = *(nint*)(ts + s_trashLater);
        s->AsyncGenFirstIter = *(nint*)(ts + s_firstIter);
        s->AsyncGenFinalizer = *(nint*)(ts + s_finalizer);
        for (var i = 0; i < s_excStateWords; i++) s->ExcState[i] = *(long*)(ts + s_excState + (i * sizeof(long)));
        if (s_cCalls >= 0) s->CCallsRemaining = *(int*)(ts + s_cCalls);
        if (s_localKey >= 0)
        {
            s->LocalKey = *(nint*)(ts + s_localKey);
            s->LocalSentinel = *(nint*)(ts + s_localSentinel);
        }

        if (s_loop >= 0) s->RunningLoop = *(nint*)(ts + s_loop);
        if (s_task >= 0) s->RunningTask = *(nint*)(ts + s_task);
        if (s_executor >= 0) s->Executor = *(nint*)(ts + s_executor);
        if (s_jitExit >= 0) s->JitExit = *(nint*)(ts + s_jitExit);
        if (s_profiled < 0) return;
        s->LastProfiledFrame = *(nint*)(ts + s_profiled);
        s->LastProfiledFrameSeq = *(nint*)(ts + s_profiledSeq);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Load(SavedThreadState* s)
    {
        var ts = _ts;
        if (s_cframe >= 0) *(nint*)(ts + s_cframe) = s->CFrame;
        if (s_currentFrame >= 0) *(nint*)(ts + s_currentFrame) = s->CurrentFrame;
        *(nint*)(ts + s_excInfo) = s->ExcInfo;
        *(nint*)(ts + s_dict) = s->Dict;
        *_libraryWord = s->LibraryWord;
        *(nint*)(ts + s_context) = s->Context;
        if (s_id >= 0) *(ulong*)(ts + s_id) = s->Id;
        BumpContextVersion();
        if (s_chunk >= 0)
        {
            *(nint*)(ts + s_chunk) = s->DataStackChunk;
            *(nint*)(ts + s_top) = s->DataStackTop;
            *(nint*)(ts + s_limit) = s->DataStackLimit;
        }

        if (s_remaining >= 0) *(int*)(ts + s_remaining) = *(int*)(ts + s_recursionLimit) - s->RecursionDepth;
        if (s_headroom >= 0) *(int*)(ts + s_headroom) = s->RecursionHeadroom;
        if (s_trash >= 0) *(int*)(ts + s_trash) = s->TrashDeleteNesting;
        if (s_trashLater >= 0) *(nint*)(ts + s_trashLater) = s->TrashDeleteLater;
        *(nint*)(ts + s_firstIter) = s->AsyncGenFirstIter;
        *(nint*)(ts + s_finalizer) = s->AsyncGenFinalizer;
        for (var i = 0; i < s_excStateWords; i++) *(long*)(ts + s_excState + (i * sizeof(long))) = s->ExcState[i];
        if (s_cCalls >= 0) *(int*)(ts + s_cCalls) = s->CCallsRemaining;
        if (s_localKey >= 0)
        {
            *(nint*)(ts + s_localKey) = s->LocalKey;
            *(nint*)(ts + s_localSentinel) = s->LocalSentinel;
        }

        LoadStack(s);
        if (s_loop >= 0) *(nint*)(ts + s_loop) = s->RunningLoop;
        if (s_task >= 0) *(nint*)(ts + s_task) = s->RunningTask;
        if (s_executor >= 0) *(nint*)(ts + s_executor) = s->Executor;
        if (s_jitExit >= 0) *(nint*)(ts + s_jitExit) = s->JitExit;
        if (s_profiled < 0) return;
        *(nint*)(ts + s_profiled) = s->LastProfiledFrame;
        *(nint*)(ts + s_profiledSeq) = s->LastProfiledFrameSeq;
    }

    // Never taken out: nobody changes them.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void LoadStack(SavedThreadState* s)
    {
        if (s_stackTop < 0) return;
        *(nint*)(_ts + s_stackTop) = s->CStackTop;
        *(nint*)(_ts + s_stackSoft) = s->CStackSoftLimit;
        *(nint*)(_ts + s_stackHard) = s->CStackHardLimit;
    }

    private static int First(int offset, int other) => offset >= 0 ? offset : other;

    // A ContextVar caches its last value together with this number: without a new number it would answer with another request's value.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void BumpContextVersion()
    {
        if (s_contextVer >= 0) ++*(ulong*)(_ts + s_contextVer);
    }
}
