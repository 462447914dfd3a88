using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace UGreen.Py.Native;

/// <summary>The way out of a worker.</summary>
public static class ProcessExit
{
    /// <summary>_exit(2): no finalizers, no atexit functions of C. What must be flushed or run has to be done before.</summary>
    [DoesNotReturn]
    public static void Immediately(int code)
    {
        Libc._exit(code);

        // Not reached; it tells the compiler so.
        throw new UnreachableException();
    }
}
