using Microsoft.Win32.SafeHandles;

namespace UGreen.Py.Native;

/// <summary>Pipes between processes.</summary>
public static unsafe class Pipes
{
    /// <summary>A new pipe; both ends are close-on-exec.</summary>
    /// <exception cref="LinuxException">No descriptors are left.</exception>
    public static (SafeFileHandle Read, SafeFileHandle Write) Create()
    {
        int* ends = stackalloc int[2];
        // SAFETY: two numbers of this frame are written.
        if (Libc.pipe2(ends, Libc.OpenFlags.CloseOnExec) != 0) throw LinuxException.Last("pipe2");
        return (new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true));
    }
}
