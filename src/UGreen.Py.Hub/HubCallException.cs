using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;

namespace UGreen.Py.Hub;

/// <summary>The answer to a hub call is a Python exception. Thrown by handlers, turned into the pending Python error by the dispatcher.</summary>
public sealed class HubCallException : Exception
{
    private readonly BorrowedRef _type;
    private readonly int _errno;
    private readonly NewRef _exception;

    private HubCallException(BorrowedRef type, string message, int errno = 0)
        : base(message)
    {
        _type = type;
        _errno = errno;
    }

    private HubCallException(NewRef exception)
        : base("an exception object of Python's") => _exception = exception;

    /// <summary>An exception object that exists already; taken over. It must be raised, or it leaks.</summary>
    public static HubCallException Object(NewRef exception) => new(exception);

    public static HubCallException Type(string message) => new(PyConstants.TypeError, message);

    public static HubCallException Value(string message) => new(PyConstants.ValueError, message);

    public static HubCallException Runtime(string message) => new(PyConstants.RuntimeError, message);

    public static HubCallException System(string message) => new(PyConstants.SystemError, message);

    public static HubCallException Assertion(string message) => new(PyConstants.AssertionError, message);

    /// <summary>OSError without an errno.</summary>
    public static HubCallException Os(string message) => new(PyConstants.OSError, message);

    /// <summary>OSError with an errno, so that Python picks the subclass (ConnectionResetError, BrokenPipeError …).</summary>
    public static HubCallException Os(int errno, string message) => new(PyConstants.OSError, message, errno);

    /// <summary>An argument has the wrong type or is out of range and Python has said so already: the pending error is the answer.</summary>
    public static HubCallException Pending() => new(BorrowedRef.Null, "");

    /// <summary>Makes it the pending Python error.</summary>
    public void Raise()
    {
        if (!_exception.IsNull)
        {
            using var exception = _exception;
            using var type = CApi.PyObject_Type(exception.Borrow());
            CApi.PyErr_SetObject(type.Borrow(), exception.Borrow());
            return;
        }

        if (_type.IsNull) return;
        if (_errno == 0)
        {
            CApi.PyErr_SetString(_type, Message);
            return;
        }

        using var number = CApi.PyLong_FromLongLong(_errno);
        using var text = PyText.FromText(Message);
        using var args = CApi.PyTuple_New(2);
        if (number.IsNull || text.IsNull || args.IsNull) return; // MemoryError is set
        CApi.Py_IncRef(number.Borrow());
        CApi.Py_IncRef(text.Borrow());
        _ = CApi.PyTuple_SetItem(args.Borrow(), 0, number.Detach());
        _ = CApi.PyTuple_SetItem(args.Borrow(), 1, text.Detach());
        CApi.PyErr_SetObject(_type, args.Borrow());
    }
}
