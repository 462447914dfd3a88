using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>Calls C functions of which only the address is known.</summary>
public static unsafe class NativeFunction
{
    /// <summary>Calls one that takes up to eight integers or pointers. What it does not take it does not see.</summary>
    /// <param name="function">Its address.</param>
    /// <param name="arguments">Eight.</param>
    /// <param name="errno">errno after the call, whether that means something or not.</param>
    // SAFETY: by the System V ABI surplus integer arguments lie in registers and below the frame, where a function that does not know them does not look; the caller vouches for the rest.
    public static nint Call(nint function, ReadOnlySpan<nint> arguments, out int errno)
    {
        var target = (delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint, nint, nint>)function;
        Marshal.SetLastSystemError(0);
        var result = target(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5], arguments[6], arguments[7]);
        errno = Marshal.GetLastSystemError();
        return result;
    }
}
