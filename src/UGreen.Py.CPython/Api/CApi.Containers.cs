using System.Runtime.InteropServices;

namespace UGreen.Py.CPython.Api;

// dictobject.h, listobject.h, tupleobject.h.
public static unsafe partial class CApi
{
    [LibraryImport(Library)] public static partial NewRef PyDict_New();
    [LibraryImport(Library)] public static partial NewRef PyDict_Copy(BorrowedRef dict);
    [LibraryImport(Library)] public static partial int PyDict_SetItem(BorrowedRef dict, BorrowedRef key, BorrowedRef value);
    [LibraryImport(Library)] public static partial BorrowedRef PyDict_GetItemWithError(BorrowedRef dict, BorrowedRef key);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] public static partial int PyDict_SetItemString(BorrowedRef dict, string key, BorrowedRef value);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] public static partial BorrowedRef PyDict_GetItemString(BorrowedRef dict, string key);
    [LibraryImport(Library)] public static partial nint PyDict_Size(BorrowedRef dict);

    [LibraryImport(Library)] public static partial NewRef PyList_New(nint size);
    [LibraryImport(Library)] public static partial nint PyList_Size(BorrowedRef list);
    [LibraryImport(Library)] public static partial BorrowedRef PyList_GetItem(BorrowedRef list, nint index);
    [LibraryImport(Library)] public static partial int PyList_Append(BorrowedRef list, BorrowedRef item);
    [LibraryImport(Library)] public static partial int PyList_Insert(BorrowedRef list, nint index, BorrowedRef item);

    [LibraryImport(Library)] public static partial NewRef PyTuple_New(nint size);
    [LibraryImport(Library)] public static partial nint PyTuple_Size(BorrowedRef tuple);
    [LibraryImport(Library)] public static partial BorrowedRef PyTuple_GetItem(BorrowedRef tuple, nint index);

    /// <summary>Steals the reference to <paramref name="item"/>: pass <see cref="NewRef.Detach"/>.</summary>
    [LibraryImport(Library)] public static partial int PyTuple_SetItem(BorrowedRef tuple, nint index, nint item);
}
