using System.Runtime.InteropServices;
using UGreen.Py.CPython.Api;

namespace UGreen.Py.CPython;

/// <summary>
/// Puts other C functions in the place of CPython's <c>_thread.get_ident</c> and the methods of <c>RLock</c> (docs/adr/0041): in their method definitions, which CPython reads at each call.
/// </summary>
// SAFETY: pointers of builtin functions and method descriptors lead to method definitions that are static in CPython; the names in them are compared before anything is written.
public static unsafe class ThreadIdentity
{
    // PyCFunctionObject.m_ml behind the object header; PyMethodDescrObject.d_method behind d_type, d_name and d_qualname; ml_meth behind ml_name.
    private const int FunctionDefinition = 16;
    private const int MethodDefinition = 40;
    private const int Function = 8;
    private const int NoArguments = 0x4;

    private static readonly string[] s_methods = ["acquire", "__enter__", "release", "__exit__", "_is_owned", "_acquire_restore", "_release_save"];

    /// <summary>pthread_self() of the calling thread, as CPython names its thread.</summary>
    public static nint OsThread { get; } = Native.Libc.pthread_self();

    /// <summary>Installs them. Hub thread, main stack.</summary>
    /// <param name="getIdent">Gives a function for CPython's own get_ident.</param>
    /// <param name="method">Gives a function for each of CPython's own methods.</param>
    /// <param name="owner">Where the object of a lock is expected to have its owner.</param>
    /// <returns>A builtin function that is CPython's own get_ident.</returns>
    /// <exception cref="PythonStartException">This CPython has them elsewhere.</exception>
    public static NewRef Install(Func<nint, nint> getIdent, Func<nint, nint> method, int owner)
    {
        using var module = CApi.PyImport_ImportModule("_thread").OrThrow();
        using var function = CApi.PyObject_GetAttrString(module.Borrow(), "get_ident").OrThrow();
        using var type = CApi.PyObject_GetAttrString(module.Borrow(), "RLock").OrThrow();
        Probe(type.Borrow(), owner);
        var definitions = new List<nint>();
        foreach (var name in s_methods)
        {
            using var descriptor = CApi.PyObject_GetAttrString(type.Borrow(), name).OrThrow();
            definitions.Add(Definition(descriptor.Address + MethodDefinition, name));
        }

        var ident = Definition(function.Address + FunctionDefinition, "get_ident");
        var own = *(nint*)(ident + Function);
        *(nint*)(ident + Function) = getIdent(own);
        foreach (var definition in definitions) *(nint*)(definition + Function) = method(*(nint*)(definition + Function));
        return MakeOwn(own);
    }

    private static nint Definition(nint at, string name)
    {
        var definition = *(nint*)at;
        if (Marshal.PtrToStringUTF8(*(nint*)definition) == name) return definition;
        throw new PythonStartException($"this CPython {Interpreter.Version} does not have the C function of _thread's {name} where it is expected; --ugreen-blocking false starts without it");
    }

    private static void Probe(BorrowedRef type, int owner)
    {
        using var rlock = CApi.PyObject_CallNoArgs(type).OrThrow();
        using var acquire = CApi.PyObject_GetAttrString(rlock.Borrow(), "acquire").OrThrow();
        using var taken = CApi.PyObject_CallNoArgs(acquire.Borrow()).OrThrow();
        var found = *(nint*)(rlock.Address + owner);
        using var release = CApi.PyObject_GetAttrString(rlock.Borrow(), "release").OrThrow();
        using var done = CApi.PyObject_CallNoArgs(release.Borrow()).OrThrow();
        if (found == OsThread) return;
        throw new PythonStartException($"this CPython {Interpreter.Version} does not have the owner of an RLock where it is expected; --ugreen-blocking false starts without it");
    }

    private static NewRef MakeOwn(nint own)
    {
        // char *ml_name; PyCFunction ml_meth; int ml_flags; char *ml_doc; kept for ever, as CPython asks.
        var definition = (nint*)NativeMemory.AllocZeroed(4, (nuint)sizeof(nint));
        definition[0] = Marshal.StringToCoTaskMemUTF8("os_ident");
        definition[1] = own;
        definition[2] = NoArguments;
        definition[3] = Marshal.StringToCoTaskMemUTF8("os_ident()\n--\n\nNumber of the calling OS thread, which all green threads of a worker share; elsewhere the same as threading.get_ident().");
        return CApi.PyCFunction_NewEx(definition, BorrowedRef.Null, BorrowedRef.Null).OrThrow();
    }
}
