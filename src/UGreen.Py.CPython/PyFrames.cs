using UGreen.Py.CPython.Api;

namespace UGreen.Py.CPython;

/// <summary>What Python code runs on this OS thread. Looking runs no Python code.</summary>
public static class PyFrames
{
    /// <summary>File of the innermost Python frame, as its code object has it; null: there is none, or no memory for it. Needs the GIL, with no error pending.</summary>
    public static string? CurrentFile()
    {
        using var pause = CollectorPause.Begin();
        using var frame = CApi.PyThreadState_GetFrame(CApi.PyThreadState_Get());
        if (frame.IsNull) return null;

        // PyFrame_GetCode, not the attribute f_code: that one asks the audit hooks, which may be Python code.
        using var code = CApi.PyFrame_GetCode(frame.Borrow());
        using var file = CApi.PyObject_GetAttrString(code.Borrow(), "co_filename");
        var name = file.IsNull ? null : PyText.ToText(file.Borrow());
        if (name is null) CApi.PyErr_Clear();
        return name;
    }
}
