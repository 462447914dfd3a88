using System.Runtime.InteropServices;

namespace UGreen.Py.CPython.Api;

// object.h, abstract.h. C names, untouched. Every call needs the GIL. A NewRef result of NULL means that a Python error is set.
// SAFETY: declarations of the C API with the types of CPython's headers; memory is only touched by C.
public static unsafe partial class CApi
{
    /// <summary>The name that <see cref="LibPython"/> answers with the library that was loaded at start.</summary>
    internal const string Library = "ugreen-libpython";

    [LibraryImport(Library)] public static partial void Py_IncRef(BorrowedRef o);
    [LibraryImport(Library)] public static partial void Py_DecRef(BorrowedRef o);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] public static partial NewRef PyObject_GetAttrString(BorrowedRef o, string name);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] public static partial int PyObject_SetAttrString(BorrowedRef o, string name, BorrowedRef value);
    [LibraryImport(Library)] public static partial NewRef PyObject_Str(BorrowedRef o);
    [LibraryImport(Library)] public static partial NewRef PyObject_Repr(BorrowedRef o);
    [LibraryImport(Library)] public static partial NewRef PyObject_Type(BorrowedRef o);
    [LibraryImport(Library)] public static partial int PyObject_IsTrue(BorrowedRef o);
    [LibraryImport(Library)] public static partial int PyObject_IsInstance(BorrowedRef o, BorrowedRef cls);
    [LibraryImport(Library)] public static partial NewRef PyObject_CallNoArgs(BorrowedRef callable);
    [LibraryImport(Library)] public static partial NewRef PyObject_CallObject(BorrowedRef callable, BorrowedRef args);
    [LibraryImport(Library)] public static partial NewRef PyObject_Call(BorrowedRef callable, BorrowedRef args, BorrowedRef kwargs);
    [LibraryImport(Library)] public static partial int PyCallable_Check(BorrowedRef o);
    [LibraryImport(Library)] public static partial int PyObject_GetBuffer(BorrowedRef o, PyBuffer* view, int flags);
    [LibraryImport(Library)] public static partial void PyBuffer_Release(PyBuffer* view);
    [LibraryImport(Library)] internal static partial NewRef PyType_FromSpec(void* spec);
    [LibraryImport(Library)] internal static partial NewRef PyType_GenericAlloc(BorrowedRef type, nint items);
    [LibraryImport(Library)] internal static partial NewRef PyCFunction_NewEx(void* methodDef, BorrowedRef self, BorrowedRef module);
}
