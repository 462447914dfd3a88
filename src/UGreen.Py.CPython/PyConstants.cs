namespace UGreen.Py.CPython;

/// <summary>Singletons and exception types, by their exported symbols. Valid after <see cref="Interpreter.Start"/>; all borrowed, all immortal for our purposes.</summary>
public static class PyConstants
{
    public static BorrowedRef None { get; } = new(LibPython.Symbol("_Py_NoneStruct"));

    public static BorrowedRef True { get; } = new(LibPython.Symbol("_Py_TrueStruct"));

    public static BorrowedRef False { get; } = new(LibPython.Symbol("_Py_FalseStruct"));

    public static BorrowedRef BaseException { get; } = Exported("PyExc_BaseException");

    public static BorrowedRef TypeError { get; } = Exported("PyExc_TypeError");

    public static BorrowedRef ValueError { get; } = Exported("PyExc_ValueError");

    public static BorrowedRef AttributeError { get; } = Exported("PyExc_AttributeError");

    public static BorrowedRef OSError { get; } = Exported("PyExc_OSError");

    public static BorrowedRef OverflowError { get; } = Exported("PyExc_OverflowError");

    public static BorrowedRef RuntimeError { get; } = Exported("PyExc_RuntimeError");

    public static BorrowedRef SystemError { get; } = Exported("PyExc_SystemError");

    public static BorrowedRef AssertionError { get; } = Exported("PyExc_AssertionError");

    // SAFETY: PyExc_X is a PyObject* variable of libpython, filled during initialisation and never changed.
    private static unsafe BorrowedRef Exported(string symbol) => new(*(nint*)LibPython.Symbol(symbol));
}
