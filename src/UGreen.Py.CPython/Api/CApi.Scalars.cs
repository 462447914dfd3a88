using System.Runtime.InteropServices;

namespace UGreen.Py.CPython.Api;

// longobject.h, floatobject.h, bytesobject.h, unicodeobject.h.
public static unsafe partial class CApi
{
    [LibraryImport(Library)] public static partial NewRef PyLong_FromLongLong(long value);
    [LibraryImport(Library)] public static partial long PyLong_AsLongLong(BorrowedRef o);
    [LibraryImport(Library)] public static partial long PyLong_AsLongLongAndOverflow(BorrowedRef o, out int overflow);
    [LibraryImport(Library)] public static partial double PyFloat_AsDouble(BorrowedRef o);
    [LibraryImport(Library)] public static partial NewRef PyFloat_FromDouble(double value);

    [LibraryImport(Library)] public static partial NewRef PyBytes_FromStringAndSize(byte* data, nint size);
    [LibraryImport(Library)] public static partial int PyBytes_AsStringAndSize(BorrowedRef o, byte** buffer, nint* length);

    [LibraryImport(Library)] public static partial NewRef PyUnicode_DecodeLatin1(byte* data, nint size, byte* errors);
    [LibraryImport(Library)] public static partial NewRef PyUnicode_FromStringAndSize(byte* utf8, nint size);
    [LibraryImport(Library)] public static partial NewRef PyUnicode_InternFromString(byte* utf8);
    [LibraryImport(Library)] public static partial byte* PyUnicode_AsUTF8AndSize(BorrowedRef o, nint* size);
    [LibraryImport(Library)] public static partial NewRef PyUnicode_AsLatin1String(BorrowedRef o);
}
