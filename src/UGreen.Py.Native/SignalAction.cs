using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>glibc's struct sigaction on x86-64 (152 bytes; the signal mask in the middle is copied as a whole and never looked into).</summary>
[StructLayout(LayoutKind.Explicit, Size = 152)]
public struct SignalAction
{
    /// <summary>Address of the handler, or 0 (SIG_DFL), or 1 (SIG_IGN).</summary>
    [FieldOffset(0)]
    public nint Handler;

    /// <summary>SA_* bits.</summary>
    [FieldOffset(136)]
    public int Flags;
}
