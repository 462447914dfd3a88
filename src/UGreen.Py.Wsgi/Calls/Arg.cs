using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary>Reads hub-call arguments; every error is a Python exception that names the function and the argument.</summary>
internal static class Arg
{
    private const double NanosecondsPerSecond = 1e9;
    private const string Seconds = "the number of seconds";

    // 100 years: beyond it a time-out means "none" in practice, and the sum with the clock stays far from overflow.
    private const double MaxSeconds = 100.0 * 365 * 24 * 3600;

    /// <summary>A file descriptor: an int, or an object with fileno(), as everywhere in Python's own library.</summary>
    public static int Fd(string function, in HubCallArguments args, int index)
    {
        var value = args.At(index);
        var number = CApi.PyLong_AsLongLongAndOverflow(value, out var overflow);
        if (number == -1 && !CApi.PyErr_Occurred().IsNull)
        {
            if (CApi.PyErr_ExceptionMatches(PyConstants.TypeError) == 0) throw HubCallException.Pending();
            CApi.PyErr_Clear();
            var complaint = $"{function}(): fd must be an int or an object with fileno()";
            using var method = CApi.PyObject_GetAttrString(value, "fileno");
            if (method.IsNull) throw Misfit(complaint, PyConstants.AttributeError);
            using var fd = CApi.PyObject_CallNoArgs(method.Borrow());
            // A file that is closed raises ValueError.
            if (fd.IsNull) throw Misfit(complaint, PyConstants.ValueError);
            number = CApi.PyLong_AsLongLongAndOverflow(fd.Borrow(), out overflow);
            if (number == -1 && !CApi.PyErr_Occurred().IsNull) throw Misfit(complaint, PyConstants.TypeError);
        }

        if (overflow != 0 || number is < int.MinValue or > int.MaxValue) throw HubCallException.Os(9, $"{function}(): {(overflow != 0 ? "fd" : $"fd {number}")} is not a file descriptor");
        return (int)number;
    }

    /// <summary>Whether an argument counts as true; what its __bool__ raises reaches the caller. False when absent.</summary>
    public static bool Flag(in HubCallArguments args, int index)
    {
        if (args.Count <= index) return false;
        var isTrue = CApi.PyObject_IsTrue(args.At(index));
        return isTrue >= 0 ? isTrue == 1 : throw HubCallException.Pending();
    }

    /// <summary>A number of bytes, or a position in a file: an int of at least 0 and less than 2**63.</summary>
    public static long Size(string function, in HubCallArguments args, int index)
    {
        var number = CApi.PyLong_AsLongLongAndOverflow(args.At(index), out var overflow);
        if (number == -1 && !CApi.PyErr_Occurred().IsNull) throw HubCallException.Pending();
        if (overflow != 0 || number < 0) throw HubCallException.Value($"{function}(): a position or size must be at least 0 and less than 2**63");
        return number;
    }

    /// <summary>The bytes of a str (as UTF-8) or of a bytes-like object; a copy.</summary>
    public static byte[] Data(string function, string argument, in HubCallArguments args, int index)
    {
        var value = args.At(index);
        if (PyText.TryGetBytes(value, out var bytes)) return bytes.ToArray();
        if (PyText.ToText(value) is { } text) return System.Text.Encoding.UTF8.GetBytes(text);
        using var buffer = ReadableBuffer.TryOpen(value);
        return buffer.IsOpen ? buffer.Span.ToArray() : throw HubCallException.Type($"{function}(): {argument} must be str (without lone surrogates) or bytes-like");
    }

    /// <summary>Seconds as int or float, in nanoseconds; 0 when absent, zero, negative or None, and then there is no time-out.</summary>
    public static long Timeout(string function, in HubCallArguments args, int index, string argument = Seconds) => Math.Max(0, WaitTime(function, args, index, argument));

    /// <summary>How long to wait, in nanoseconds: 0 or less seconds give 0; None or absent gives -1, no limit.</summary>
    public static long WaitTime(string function, in HubCallArguments args, int index, string argument = Seconds)
    {
        if (args.Count <= index || args.At(index) == PyConstants.None) return -1;
        var seconds = CApi.PyFloat_AsDouble(args.At(index));
        if (seconds == -1.0 && !CApi.PyErr_Occurred().IsNull)
        {
            // An int of hundreds of digits is none either.
            throw Misfit($"{function}(): {argument} must be an int or a float", PyConstants.TypeError, PyConstants.OverflowError);
        }

        if (double.IsNaN(seconds)) throw HubCallException.Value($"{function}(): {argument} is not a number");
        if (seconds > MaxSeconds) return -1;
        return seconds <= 0 ? 0 : Math.Max(1, (long)(seconds * NanosecondsPerSecond));
    }

    /// <summary>A number that another hub call gave out.</summary>
    public static long GreenId(string function, in HubCallArguments args, int index)
    {
        var number = CApi.PyLong_AsLongLongAndOverflow(args.At(index), out var overflow);
        if (number == -1 && !CApi.PyErr_Occurred().IsNull) throw Misfit($"{function}(): the number must be an int", PyConstants.TypeError);

        return overflow != 0 ? -1 : number;
    }

    /// <summary>An exception object (not a class), as a reference of its own.</summary>
    public static NewRef Exception(string function, in HubCallArguments args, int index)
    {
        var value = args.At(index);
        var isOne = CApi.PyObject_IsInstance(value, PyConstants.BaseException);
        if (isOne < 0) throw HubCallException.Pending();
        if (isOne == 0) throw HubCallException.Type($"{function}(): an exception object is expected");
        CApi.Py_IncRef(value);
        return new NewRef(value.Address);
    }

    /// <summary>
    /// The pending Python error is one of these kinds, with which Python says that an argument is not what it must be: then we say it, with its name. What a method of the argument raised for another reason (a time limit that was
    /// over in it, an error of its own) is the application's and stays.
    /// </summary>
    private static HubCallException Misfit(string complaint, params ReadOnlySpan<BorrowedRef> kinds)
    {
        foreach (var kind in kinds)
        {
            if (CApi.PyErr_ExceptionMatches(kind) == 0) continue;
            CApi.PyErr_Clear();
            return HubCallException.Type(complaint);
        }

        return HubCallException.Pending();
    }
}
