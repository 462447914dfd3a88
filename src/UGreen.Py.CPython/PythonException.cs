using System.Text;
using UGreen.Py.CPython.Api;

namespace UGreen.Py.CPython;

/// <summary>A Python exception that reached C#. <see cref="Exception.Message"/> is "Type: text"; <see cref="Traceback"/> is what Python would print.</summary>
public sealed class PythonException : Exception
{
    private PythonException(string message, string typeName, string traceback)
        : base(message)
    {
        TypeName = typeName;
        Traceback = traceback;
    }

    /// <summary>Name of the Python type, "ModuleNotFoundError".</summary>
    public string TypeName { get; }

    /// <summary>The formatted traceback, lines ended by \n; empty when even formatting failed.</summary>
    public string Traceback { get; }

    /// <summary>Takes the pending Python error off the thread state and describes it. Needs the GIL.</summary>
    // SAFETY: three locals are handed to C by address for the length of the calls.
    public static unsafe PythonException Fetch()
    {
        nint type = 0, value = 0, trace = 0;
        CApi.PyErr_Fetch(&type, &value, &trace);
        if (type == 0) return new PythonException("SystemError: a C function failed without setting an exception", "SystemError", "");
        CApi.PyErr_NormalizeException(&type, &value, &trace);
        using var ownType = new NewRef(type);
        using var ownValue = new NewRef(value);
        using var ownTrace = new NewRef(trace);
        if (trace != 0) _ = CApi.PyException_SetTraceback(ownValue.Borrow(), ownTrace.Borrow());

        using var name = CApi.PyObject_GetAttrString(ownType.Borrow(), "__name__");
        using var text = CApi.PyObject_Str(ownValue.Borrow());
        var typeName = PyText.ToText(name.Borrow()) ?? "Exception";
        var message = PyText.ToText(text.Borrow());
        CApi.PyErr_Clear();
        var traceback = Format(ownValue.Borrow());
        return new PythonException(string.IsNullOrEmpty(message) ? typeName : $"{typeName}: {message}", typeName, traceback);
    }

    private static string Format(BorrowedRef exception)
    {
        // traceback.format_exception(exc): the one-argument form exists since 3.10.
        using var module = CApi.PyImport_ImportModule("traceback");
        using var format = module.IsNull ? default : CApi.PyObject_GetAttrString(module.Borrow(), "format_exception");
        using var args = CApi.PyTuple_New(1);
        if (format.IsNull || args.IsNull)
        {
            CApi.PyErr_Clear();
            return "";
        }

        CApi.Py_IncRef(exception);
        _ = CApi.PyTuple_SetItem(args.Borrow(), 0, exception.Address);
        using var lines = CApi.PyObject_CallObject(format.Borrow(), args.Borrow());
        if (lines.IsNull)
        {
            CApi.PyErr_Clear();
            return "";
        }

        var all = new StringBuilder();
        for (nint i = 0, n = CApi.PyList_Size(lines.Borrow()); i < n; i++) all.Append(PyText.ToText(CApi.PyList_GetItem(lines.Borrow(), i)));
        return all.ToString();
    }
}
