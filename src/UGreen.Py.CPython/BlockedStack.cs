using System.Globalization;
using System.Text;
using UGreen.Py.CPython.Api;

namespace UGreen.Py.CPython;

/// <summary>Where a thread's Python code is, as text, seen from another OS thread: one that .NET made, without a thread state of its own before.</summary>
public static class BlockedStack
{
    // What is further out says nothing about where it blocks.
    private const int MostFrames = 40;

    /// <summary>
    /// Takes the GIL, waiting for it as long as that takes, and reads. No Python code is run: the collector is off meanwhile, and what is asked for are fields of frames and code objects.
    /// </summary>
    /// <param name="threadState">The other thread's.</param>
    /// <param name="isStill">Asked with the GIL: false when it is not where it was, and then there is nothing to say.</param>
    /// <returns>Lines as those of a traceback, innermost last; empty when it runs no Python code.</returns>
    public static string Read(nint threadState, Func<bool> isStill)
    {
        var state = CApi.PyGILState_Ensure();
        try
        {
            using var pause = CollectorPause.Begin();
            return isStill() ? Frames(threadState) : "";
        }
        finally
        {
            CApi.PyGILState_Release(state);
        }
    }

    private static string Frames(nint threadState)
    {
        var lines = new List<string>();
        var frame = CApi.PyThreadState_GetFrame(threadState);
        while (!frame.IsNull && lines.Count < MostFrames)
        {
            using var code = CApi.PyFrame_GetCode(frame.Borrow());
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"  File \"{Text(code, "co_filename")}\", line {CApi.PyFrame_GetLineNumber(frame.Borrow())}, in {Text(code, "co_name")}\n"));
            var back = CApi.PyFrame_GetBack(frame.Borrow());
            frame.Dispose();
            frame = back;
        }

        frame.Dispose();
        if (!CApi.PyErr_Occurred().IsNull) CApi.PyErr_Clear();
        var text = new StringBuilder();
        for (var i = lines.Count - 1; i >= 0; i--) text.Append(lines[i]);
        return text.ToString();
    }

    private static string Text(NewRef code, string attribute)
    {
        using var value = CApi.PyObject_GetAttrString(code.Borrow(), attribute);
        return (value.IsNull ? null : PyText.ToText(value.Borrow())) ?? "?";
    }
}
