using System.Runtime.InteropServices;

namespace UGreen.Py.CPython.Api;

// pylifecycle.h, pystate.h, ceval.h, import.h, moduleobject.h, pyerrors.h, context.h.
// skipped PyConfig and PyInitConfig: a struct that changes with every version; Py_SetProgramName and Py_InitializeEx(0) say all that is needed.
public static unsafe partial class CApi
{
    [LibraryImport(Library)] internal static partial void PyPreConfig_InitPythonConfig(PyPreConfig* config);
    [LibraryImport(Library)] internal static partial PyStatus Py_PreInitialize(PyPreConfig* config);
    [LibraryImport(Library)] internal static partial void Py_SetProgramName(int* name);
    [LibraryImport(Library)] internal static partial void Py_InitializeEx(int installSignalHandlers);
    [LibraryImport(Library)] internal static partial byte* Py_GetVersion();

    [LibraryImport(Library)] public static partial nint PyThreadState_Get();
    [LibraryImport(Library)] public static partial BorrowedRef PyThreadState_GetDict();
    [LibraryImport(Library)] internal static partial NewRef PyThreadState_GetFrame(nint threadState);
    [LibraryImport(Library)] public static partial nint PyInterpreterState_Get();
    [LibraryImport(Library)] internal static partial nint PyInterpreterState_ThreadHead(nint interpreter);
    [LibraryImport(Library)] internal static partial nint PyThreadState_Next(nint threadState);
    [LibraryImport(Library)] public static partial nint PyEval_SaveThread();
    [LibraryImport(Library)] public static partial void PyEval_RestoreThread(nint threadState);
    [LibraryImport(Library)] internal static partial int PyGILState_Ensure();
    [LibraryImport(Library)] internal static partial void PyGILState_Release(int state);
    [LibraryImport(Library)] public static partial int PyErr_CheckSignals();
    [LibraryImport(Library)] internal static partial NewRef PyFrame_GetBack(BorrowedRef frame);
    [LibraryImport(Library)] internal static partial NewRef PyFrame_GetCode(BorrowedRef frame);
    [LibraryImport(Library)] internal static partial int PyFrame_GetLineNumber(BorrowedRef frame);
    [LibraryImport(Library)] internal static partial int PyGC_Disable();
    [LibraryImport(Library)] internal static partial int PyGC_Enable();
    [LibraryImport(Library)] internal static partial int Py_AddPendingCall(delegate* unmanaged<nint, int> function, nint argument);
    [LibraryImport(Library)] public static partial int Py_GetRecursionLimit();
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] internal static partial int Py_EnterRecursiveCall(string where);
    [LibraryImport(Library)] internal static partial void Py_LeaveRecursiveCall();
    [LibraryImport(Library)] internal static partial NewRef PyContext_New();
    [LibraryImport(Library)] internal static partial int PyContext_Enter(BorrowedRef context);
    [LibraryImport(Library)] internal static partial int PyContext_Exit(BorrowedRef context);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] public static partial NewRef PyImport_ImportModule(string name);
    [LibraryImport(Library)] public static partial BorrowedRef PyImport_GetModuleDict();
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] public static partial NewRef PyModule_New(string name);
    [LibraryImport(Library)] public static partial BorrowedRef PyModule_GetDict(BorrowedRef module);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] public static partial BorrowedRef PySys_GetObject(string name);

    [LibraryImport(Library)] public static partial BorrowedRef PyErr_Occurred();
    [LibraryImport(Library)] public static partial void PyErr_Clear();
    [LibraryImport(Library)] public static partial int PyErr_ExceptionMatches(BorrowedRef type);
    [LibraryImport(Library)] public static partial void PyErr_SetObject(BorrowedRef type, BorrowedRef value);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] public static partial void PyErr_SetString(BorrowedRef type, string message);
    [LibraryImport(Library)] internal static partial void PyErr_Fetch(nint* type, nint* value, nint* traceback);
    [LibraryImport(Library)] internal static partial void PyErr_Restore(nint type, nint value, nint traceback);
    [LibraryImport(Library)] internal static partial void PyErr_NormalizeException(nint* type, nint* value, nint* traceback);
    [LibraryImport(Library)] internal static partial int PyException_SetTraceback(BorrowedRef exception, BorrowedRef traceback);
    [LibraryImport(Library)] public static partial void PyErr_WriteUnraisable(BorrowedRef context);
}
