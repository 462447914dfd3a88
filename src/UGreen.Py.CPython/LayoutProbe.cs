using UGreen.Py.CPython.Api;
using UGreen.Py.CPython.Layout;

namespace UGreen.Py.CPython;

/// <summary>
/// Reads back a known state through the layout table before anything is swapped: a libpython built with other options (a debug or patched build) must be refused
/// with a message, not corrupt its first request.
/// </summary>
internal static class LayoutProbe
{
    /// <summary>Checks on the calling thread, which holds the GIL and runs no Python code. Throws <see cref="PythonStartException"/>.</summary>
    // SAFETY: reads words at offsets inside the thread state only; the table's size was checked against PyThreadState when it was generated.
    public static unsafe void Check(ThreadStateLayout layout)
    {
        var ts = (byte*)CApi.PyThreadState_Get();
        Expect(layout, "interp", *(nint*)(ts + layout.Interp) == CApi.PyInterpreterState_Get());
        Expect(layout, "exc_info", *(byte**)(ts + layout.ExcInfo) == ts + layout.ExcState);
        if (layout.RecursionLimit >= 0) Expect(layout, "recursion_limit", *(int*)(ts + layout.RecursionLimit) == CApi.Py_GetRecursionLimit());
        if (layout.RecursionRemaining >= 0) Expect(layout, "recursion_remaining", *(int*)(ts + layout.RecursionRemaining) == CApi.Py_GetRecursionLimit());
        if (layout.CFrame >= 0) Expect(layout, "cframe", *(nint*)(*(byte**)(ts + layout.CFrame) + layout.CFrameCurrentFrame) == 0);

        // The dict is created on first demand, so ask for it before comparing.
        Expect(layout, "dict", CApi.PyThreadState_GetDict().Address == *(nint*)(ts + layout.Dict));

        if (layout.DataStackTop >= 0)
        {
            var (top, limit) = (*(nint*)(ts + layout.DataStackTop), *(nint*)(ts + layout.DataStackLimit));
            var chunk = *(nint*)(ts + layout.DataStackChunk);
            Expect(layout, "datastack", chunk == 0 ? top == 0 && limit == 0 : top > chunk && limit > top);
        }

        using var context = CApi.PyContext_New().OrThrow();
        var before = layout.ContextVer >= 0 ? *(ulong*)(ts + layout.ContextVer) : 0;
        _ = CApi.PyContext_Enter(context.Borrow());
        Expect(layout, "context", *(nint*)(ts + layout.Context) == context.Address);
        if (layout.ContextVer >= 0) Expect(layout, "context_ver", *(ulong*)(ts + layout.ContextVer) == before + 1);
        _ = CApi.PyContext_Exit(context.Borrow());
    }

    private static void Expect(ThreadStateLayout layout, string field, bool holds)
    {
        if (!holds)
            throw new PythonStartException($"this CPython {Interpreter.Version} does not have its thread state's {field} where the {layout.Major}.{layout.Minor} layout table says; is it a debug or patched build?");
    }
}
