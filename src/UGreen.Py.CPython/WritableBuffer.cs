using UGreen.Py.CPython.Api;

namespace UGreen.Py.CPython;

/// <summary>The writable bytes of a Python object (bytearray, memoryview …) for the length of a <c>using</c> block. While it is open the object cannot be resized.</summary>
public unsafe ref struct WritableBuffer
{
    private PyBuffer _view;

    private WritableBuffer(PyBuffer view) => _view = view;

    /// <summary>Opens the buffer; throws the pending Python error (TypeError, BufferError) as a <see cref="PythonException"/> when there is none.</summary>
    // SAFETY: C fills the local struct; it is released exactly once, by Dispose.
    public static WritableBuffer Open(BorrowedRef o)
    {
        PyBuffer view = default;
        if (CApi.PyObject_GetBuffer(o, &view, PyBuffer.Writable) != 0) throw PythonException.Fetch();
        return new WritableBuffer(view);
    }

    /// <summary>The bytes.</summary>
    // SAFETY: Buf and Len describe memory that the open view keeps alive and in place.
    public readonly Span<byte> Span => new(_view.Buf, (int)Math.Min(_view.Len, int.MaxValue));

    public void Dispose()
    {
        // SAFETY: the struct is a field of a ref struct, so it lives on the stack and does not move.
        fixed (PyBuffer* view = &_view) CApi.PyBuffer_Release(view);
    }
}
