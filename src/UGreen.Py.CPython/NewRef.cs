using UGreen.Py.CPython.Api;

namespace UGreen.Py.CPython;

/// <summary>
/// A reference that the holder owns: either <see cref="Dispose"/> it once (use <c>using</c>), or pass the ownership on with <see cref="Detach"/>. Needs the GIL.
/// The same bits as a <c>PyObject*</c>, so it crosses P/Invoke as it is.
/// </summary>
public readonly struct NewRef(nint address) : IDisposable
{
    /// <summary>The <c>PyObject*</c>; 0 for NULL.</summary>
    public nint Address { get; } = address;

    public bool IsNull => Address == 0;

    /// <summary>The same object, borrowed from this reference.</summary>
    public BorrowedRef Borrow() => new(Address);

    /// <summary>Gives the ownership away: to C ("steals a reference"), to the interpreter as a result, or to a field that releases it later.</summary>
    public nint Detach() => Address;

    /// <summary>Releases the reference. NULL is fine.</summary>
    public void Dispose()
    {
        if (Address != 0) CApi.Py_DecRef(new BorrowedRef(Address));
    }

    /// <summary>This reference, or the pending Python error as a <see cref="PythonException"/> when it is NULL.</summary>
    public NewRef OrThrow() => Address != 0 ? this : throw PythonException.Fetch();
}
