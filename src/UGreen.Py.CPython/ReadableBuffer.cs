using UGreen.Py.CPython.Api;

namespace UGreen.Py.CPython;

/// <summary>The bytes of a bytes-like Python object for the length of a <c>using</c> block. While it is open the object cannot be resized.</summary>
public unsafe ref struct ReadableBuffer
{
    private PyBuffer _view;

    private ReadableBuffer(PyBuffer view, bool isOpen) => (_view, IsOpen) = (view, isOpen);

    /// <summary>False: the object has no contiguous bytes to read.</summary>
    public bool IsOpen { get; }

    /// <summary>Opens the buffer; see <see cref="IsOpen"/>. No Python error stays set.</summary>
    // SAFETY: C fills the local struct; it is released exactly once, by Dispose, and only when it was filled.
    public static ReadableBuffer TryOpen(BorrowedRef o)
    {
        PyBuffer view = default;
        if (CApi.PyObject_GetBuffer(o, &view, PyBuffer.Simple) == 0) return new ReadableBuffer(view, isOpen: true);
        CApi.PyErr_Clear();
        return default;
    }

    /// <summary>The bytes.</summary>
    // SAFETY: Buf and Len describe memory that the open view keeps alive and in place.
    public readonly ReadOnlySpan<byte> Span => new(_view.Buf, checked((int)_view.Len));

    public void Dispose()
    {
        if (!IsOpen) return;
        // SAFETY: the struct is a field of a ref struct, so it lives on the stack and does not move.
        fixed (PyBuffer* view = &_view) CApi.PyBuffer_Release(view);
    }
}
