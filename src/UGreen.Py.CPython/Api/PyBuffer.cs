using System.Runtime.InteropServices;

namespace UGreen.Py.CPython.Api;

/// <summary><c>Py_buffer</c> (Include/pybuffer.h, the same since 3.11's stable ABI): a view of an object's bytes; release it after use.</summary>
[StructLayout(LayoutKind.Sequential)]
// SAFETY: a mirror of the C struct; only PyObject_GetBuffer fills it and only PyBuffer_Release empties it.
public unsafe struct PyBuffer
{
    public void* Buf;
    public nint Obj;
    public nint Len;
    public nint ItemSize;
    public int ReadOnly;
    public int NDim;
    public byte* Format;
    public nint* Shape;
    public nint* Strides;
    public nint* SubOffsets;
    public void* Internal;

    /// <summary><c>PyBUF_SIMPLE</c>: contiguous bytes, reading.</summary>
    public const int Simple = 0;

    /// <summary><c>PyBUF_WRITABLE</c>: contiguous bytes, writing.</summary>
    public const int Writable = 1;
}
