namespace UGreen.Py.Native;

/// <summary>What becomes of a signal in this process.</summary>
public static unsafe class SignalDisposition
{
    /// <summary>Nobody handles or ignores it: the kernel does what is usual for it.</summary>
    /// <param name="signal">Its number.</param>
    /// <exception cref="LinuxException">There is no such signal.</exception>
    public static bool IsDefault(int signal)
    {
        // SAFETY: the kernel writes one structure of this size, by way of glibc; nothing is changed.
        SignalAction action;
        return Libc.sigaction(signal, null, &action) == 0 ? action.Handler == Libc.Signal.Default : throw LinuxException.Last("sigaction");
    }

    /// <summary>Where a signal is ignored, as whoever started this process may have left it, the kernel does again what is usual for it.</summary>
    /// <param name="signal">Its number.</param>
    /// <exception cref="LinuxException">There is no such signal.</exception>
    public static void StopIgnoring(int signal)
    {
        // SAFETY: structures of the size that glibc reads and writes; an empty mask and no flags go with the default.
        SignalAction action;
        SignalAction usual = default;
        if (Libc.sigaction(signal, null, &action) != 0) throw LinuxException.Last("sigaction");
        if (action.Handler == Libc.Signal.Ignore && Libc.sigaction(signal, &usual, null) != 0) throw LinuxException.Last("sigaction");
    }
}
