using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace UGreen.Py.Native;

/// <summary>
/// Tells the processor which memory is needed soon. A hint: an address that is wrong, or no longer right, costs nothing and harms nothing.
/// </summary>
public static unsafe class Prefetch
{
    /// <summary>Bytes that come together.</summary>
    public const int LineBytes = 64;

    /// <summary>The line of an address.</summary>
    // SAFETY: the instruction reads nothing into the program and never faults, whatever the address.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line(nint address)
    {
        if (Sse.IsSupported) Sse.Prefetch0((void*)address);
    }

    /// <summary>The first two lines of an object, wherever it is now.</summary>
    // SAFETY: as Line. Should the collector move the object meanwhile, the hint was in vain.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Object(object item)
    {
        var address = *(nint*)Unsafe.AsPointer(ref item);
        Line(address);
        Line(address + LineBytes);
    }
}
