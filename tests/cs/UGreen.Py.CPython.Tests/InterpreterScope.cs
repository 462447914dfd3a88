using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;

namespace UGreen.Py.Testing;

/// <summary>A namespace for Python source text: what a test's Python code sees as its globals. On the Python thread, GIL held; errors are <see cref="PythonException"/>s.</summary>
public sealed class InterpreterScope : IDisposable
{
    private readonly NewRef _globals = CApi.PyDict_New().OrThrow();

    public InterpreterScope()
    {
        using var builtins = CApi.PyImport_ImportModule("builtins").OrThrow();
        Check(CApi.PyDict_SetItemString(Globals, "__builtins__", builtins.Borrow()));
    }

    public BorrowedRef Globals => _globals.Borrow();

    /// <summary>Runs statements.</summary>
    public void Run(string code)
    {
        using var none = Call("exec", code);
    }

    /// <summary>The value of an expression.</summary>
    public NewRef Evaluate(string expression) => Call("eval", expression);

    /// <summary>The value of an expression as <c>str()</c> shows it.</summary>
    public string Text(string expression)
    {
        using var value = Evaluate(expression);
        using var text = CApi.PyObject_Str(value.Borrow()).OrThrow();
        return PyText.ToText(text.Borrow())!;
    }

    public void Set(string name, BorrowedRef value) => Check(CApi.PyDict_SetItemString(Globals, name, value));

    public void Dispose() => _globals.Dispose();

    private NewRef Call(string builtin, string code)
    {
        using var builtins = CApi.PyImport_ImportModule("builtins").OrThrow();
        using var function = CApi.PyObject_GetAttrString(builtins.Borrow(), builtin).OrThrow();
        using var args = CApi.PyTuple_New(2).OrThrow();
        CApi.Py_IncRef(Globals);
        Check(CApi.PyTuple_SetItem(args.Borrow(), 0, PyText.FromText(code).OrThrow().Detach()));
        Check(CApi.PyTuple_SetItem(args.Borrow(), 1, Globals.Address));
        return CApi.PyObject_CallObject(function.Borrow(), args.Borrow()).OrThrow();
    }

    private static void Check(int status)
    {
        if (status < 0) throw PythonException.Fetch();
    }
}
