using System.Runtime.CompilerServices;

namespace UGreen.Py.CPython;

/// <summary>The two or three things that are too frequent for a call into libpython.</summary>
public static class PyFast
{
    // From 3.12 on None, True and False are immortal (PEP 683) and must not be counted; before, a plain increment of ob_refcnt is what Py_INCREF is.
    private static readonly bool s_singletonsAreCounted = Interpreter.Layout is { Major: 3, Minor: < 12 };

    /// <summary>A new reference to None, True or False as a result for Python. Needs the GIL.</summary>
    // SAFETY: ob_refcnt is the first field of PyObject in every build that the layout tables know (none of them is free-threaded).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe nint Singleton(BorrowedRef singleton)
    {
        if (s_singletonsAreCounted) ++*(nint*)singleton.Address;
        return singleton.Address;
    }

    /// <summary>Element <paramref name="index"/> of a vectorcall argument array. For <see cref="HubCallArguments"/> only.</summary>
    // SAFETY: the array lies in the caller's Python frame, which lives while its hub call is served; HubCallArguments has checked the index against the count.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static unsafe BorrowedRef Argument(nint args, int index) => new(((nint*)args)[index]);
}
