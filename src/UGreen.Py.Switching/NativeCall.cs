using System.Runtime.InteropServices;
using UGreen.Py.Native;

namespace UGreen.Py.Switching;

/// <summary>
/// A call of the C library on a green stack, seen from safe code: which function, its arguments, and what it shall return. Valid until its core is resumed. What the arguments point to is
/// the caller's, and stays while it waits, as its frame does.
/// </summary>
// SAFETY: the frame lies on a parked green stack at the address that the door has stored; every access is at an offset of WaitFrameLayout.
public readonly unsafe struct NativeCall
{
    /// <summary>What <see cref="Invoke(ReadOnlySpan{nint}, out int)"/> takes.</summary>
    public const int Arguments = 8;

    private readonly byte* _frame;

    internal NativeCall(nint frame) => _frame = (byte*)frame;

    /// <summary>Index of the function in <see cref="Machine.BlockingCall.All"/>.</summary>
    public int Number => *(int*)(_frame + WaitFrameLayout.Number);

    /// <summary>What the stub's own try gave, -1 when it tried nothing.</summary>
    public nint Tried
    {
        get => *(nint*)(_frame + WaitFrameLayout.Tried);
        set => *(nint*)(_frame + WaitFrameLayout.Tried) = value;
    }

    /// <summary>errno as the caller will find it; before that, as it was before the call.</summary>
    public int Errno
    {
        get => *(int*)(_frame + WaitFrameLayout.Errno);
        set => *(int*)(_frame + WaitFrameLayout.Errno) = value;
    }

    /// <summary>Where the caller goes on: it tells which library called.</summary>
    public nint ReturnAddress => *(nint*)(_frame + WaitFrameLayout.ReturnAddress);

    /// <summary>An argument, from 0.</summary>
    public nint this[int index] => index < WaitFrameLayout.RegisterArguments
        ? ((nint*)(_frame + WaitFrameLayout.Arguments))[index]
        : ((nint*)(_frame + WaitFrameLayout.StackArguments))[index - WaitFrameLayout.RegisterArguments];

    /// <summary>An argument of C's type int.</summary>
    public int Int(int index) => (int)this[index];

    /// <summary>Copies the arguments, to change some of them for <see cref="Invoke(ReadOnlySpan{nint}, out int)"/>.</summary>
    public void CopyTo(Span<nint> arguments)
    {
        for (int i = 0; i < Arguments; i++) arguments[i] = this[i];
    }

    /// <summary>Makes the call as it is. It may block.</summary>
    public nint Invoke(out int errno)
    {
        Span<nint> arguments = stackalloc nint[Arguments];
        CopyTo(arguments);
        return Invoke(arguments, out errno);
    }

    /// <summary>Makes the call with other arguments.</summary>
    public nint Invoke(ReadOnlySpan<nint> arguments, out int errno) => NativeFunction.Call(*(nint*)(_frame + WaitFrameLayout.Real), arguments, out errno);

    /// <summary>A 32-bit word that an argument points to.</summary>
    public static int Read32(nint address) => Marshal.ReadInt32(address);

    /// <summary>A 64-bit word that an argument points to.</summary>
    public static long Read64(nint address) => Marshal.ReadInt64(address);
}
