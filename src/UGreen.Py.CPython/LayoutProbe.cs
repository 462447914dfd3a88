using UGreen.Py.CPython.Api;
using UGreen.Py.CPython.Layout;

namespace UGreen.Py.CPython;

/// <summary>
/// Reads back a known state through the layout table before anything is swapped: a libpython built with other options (a debug or patched build) must be refused
/// with a message, not corrupt its first request.
/// </summary>
internal static class LayoutProbe
{
    // The interpreter's chunks are 16 KiB and double when a call needs more; a larger distance is not one chunk's.
    private const ulong MaxChunkBytes = 1 << 30;

    // More than any thread has.
    private const long MaxStackBytes = 1L << 40;

    /// <summary>Checks on the calling thread, which holds the GIL and runs no Python code. Throws <see cref="PythonStartException"/>.</summary>
    // SAFETY: reads words at offsets inside the thread state only; the table's size was checked against PyThreadState when it was generated.
    public static unsafe void Check(ThreadStateLayout layout)
    {
        var ts = (byte*)CApi.PyThreadState_Get();
        Expect(layout, "interp", *(nint*)(ts + layout.Interp) == CApi.PyInterpreterState_Get());
        Expect(layout, "exc_info", *(byte**)(ts + layout.ExcInfo) == ts + layout.ExcState);

        // The dict is created on first demand, so ask for it before comparing.
        Expect(layout, "dict", CApi.PyThreadState_GetDict().Address == *(nint*)(ts + layout.Dict));
        CheckRecursion(layout, ts);
        CheckFrames(layout, ts);
        CheckContext(layout, ts);
        CheckStack(layout, ts);

        // Nothing can be asked for these; where nothing runs they are zero.
        if (layout.TrashDeleteNesting >= 0) Expect(layout, "trash_delete_nesting", *(int*)(ts + layout.TrashDeleteNesting) == 0);
        foreach (var (field, offset) in (ReadOnlySpan<(string, int)>)[("current_exception", layout.CurrentException), ("asyncio_running_loop", layout.AsyncioRunningLoop), ("asyncio_running_task", layout.AsyncioRunningTask)])
        {
            if (offset >= 0) Expect(layout, field, *(nint*)(ts + offset) == 0);
        }

        if (layout.TrashDeleteLater >= 0) Expect(layout, "trash_delete_later", *(nint*)(ts + layout.TrashDeleteLater) == 0);
    }

    // SAFETY: see Check.
    private static unsafe void CheckRecursion(ThreadStateLayout layout, byte* ts)
    {
        var limit = CApi.Py_GetRecursionLimit();
        if (layout.RecursionHeadroom >= 0) Expect(layout, "recursion_headroom", *(int*)(ts + layout.RecursionHeadroom) == 0);
        if (layout.PyRecursionRemaining >= 0)
        {
            Expect(layout, "py_recursion_remaining", *(int*)(ts + layout.PyRecursionRemaining) == limit);
            Expect(layout, "py_recursion_limit", *(int*)(ts + layout.PyRecursionLimit) == limit);
        }

        if (layout.RecursionRemaining < 0) return;
        Expect(layout, "recursion_remaining", *(int*)(ts + layout.RecursionRemaining) == limit);

        // At the bottom remaining and limit are the same number; one call deep they are told apart.
        _ = CApi.Py_EnterRecursiveCall("");
        var (remaining, limitRead) = (*(int*)(ts + layout.RecursionRemaining), *(int*)(ts + layout.RecursionLimit));
        CApi.Py_LeaveRecursiveCall();
        Expect(layout, "recursion_remaining", remaining == limit - 1);
        Expect(layout, "recursion_limit", limitRead == limit);
    }

    // SAFETY: see Check; the cframe pointer is followed only when it points into the thread state.
    private static unsafe void CheckFrames(ThreadStateLayout layout, byte* ts)
    {
        if (layout.CFrame >= 0)
        {
            // With no Python code below, it is the root record, which is a member of the thread state.
            var cframe = *(byte**)(ts + layout.CFrame);
            Expect(layout, "cframe", cframe >= ts && cframe + layout.CFrameSize <= ts + layout.ThreadStateSize && *(nint*)(cframe + layout.CFrameCurrentFrame) == 0);
        }

        if (layout.CurrentFrame >= 0)
        {
            var bottom = layout.BaseFrame >= 0 ? *(byte**)(ts + layout.BaseFrame) : null;
            Expect(layout, "base_frame", bottom is null || bottom == ts + layout.ThreadStateSize);
            Expect(layout, "current_frame", *(byte**)(ts + layout.CurrentFrame) == bottom);
        }

        if (layout.DataStackTop < 0) return;
        var chunk = *(ulong*)(ts + layout.DataStackChunk);
        var (top, end) = (*(ulong*)(ts + layout.DataStackTop), *(ulong*)(ts + layout.DataStackLimit));
        Expect(layout, "datastack", chunk == 0 ? top == 0 && end == 0 : top > chunk && end > top && end - chunk <= MaxChunkBytes);
    }

    // SAFETY: see Check.
    private static unsafe void CheckStack(ThreadStateLayout layout, byte* ts)
    {
        if (layout.CRecursionRemaining >= 0)
        {
            // One call deep there is one less.
            var before = *(int*)(ts + layout.CRecursionRemaining);
            _ = CApi.Py_EnterRecursiveCall("");
            var within = *(int*)(ts + layout.CRecursionRemaining);
            CApi.Py_LeaveRecursiveCall();
            Expect(layout, "c_recursion_remaining", within == before - 1);
        }

        if (layout.CStackTop < 0) return;
        var (top, soft, hard) = (*(nint*)(ts + layout.CStackTop), *(nint*)(ts + layout.CStackSoftLimit), *(nint*)(ts + layout.CStackHardLimit));
        var here = (nint)(&top);
        Expect(layout, "c_stack_top", top > here && top - here < MaxStackBytes);
        Expect(layout, "c_stack_soft_limit", soft > 0 && soft < here);
        Expect(layout, "c_stack_hard_limit", soft - hard == CStackLimits.HardBytes);
    }

    // SAFETY: see Check.
    private static unsafe void CheckContext(ThreadStateLayout layout, byte* ts)
    {
        using var context = CApi.PyContext_New().OrThrow();
        var before = layout.ContextVer >= 0 ? *(ulong*)(ts + layout.ContextVer) : 0;
        _ = CApi.PyContext_Enter(context.Borrow());
        var (entered, after) = (*(nint*)(ts + layout.Context), layout.ContextVer >= 0 ? *(ulong*)(ts + layout.ContextVer) : 1);
        _ = CApi.PyContext_Exit(context.Borrow());
        Expect(layout, "context", entered == context.Address);
        Expect(layout, "context_ver", after == before + 1);
    }

    private static void Expect(ThreadStateLayout layout, string field, bool holds)
    {
        if (!holds)
            throw new PythonStartException($"this CPython {Interpreter.Version} does not have its thread state's {field} where the {layout.Major}.{layout.Minor} layout table says; is it a debug or patched build?");
    }
}
