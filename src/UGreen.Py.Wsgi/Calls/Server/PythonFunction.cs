using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;

namespace UGreen.Py.Wsgi.Calls.Server;

/// <summary>Calls a function of the shim without arguments. Hub thread, on its main stack, with the GIL and the hub's own Python state in.</summary>
internal static class PythonFunction
{
    /// <returns>Null; or the traceback of what it raised.</returns>
    public static string? Call(string module, string function)
    {
        using var found = CApi.PyImport_ImportModule(module);
        using var callable = found.IsNull ? default : CApi.PyObject_GetAttrString(found.Borrow(), function);
        using var result = callable.IsNull ? default : CApi.PyObject_CallNoArgs(callable.Borrow());
        return result.IsNull ? PythonException.Fetch().Traceback : null;
    }
}
