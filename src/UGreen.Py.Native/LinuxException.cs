using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>A system call failed in a way that the caller did not expect. The message reads "epoll_create1: Too many open files (EMFILE 24)".</summary>
public sealed class LinuxException : IOException
{
    /// <param name="call">Name of the C function that failed.</param>
    /// <param name="errno">The error number it left.</param>
    /// <param name="advice">A sentence for the user on what to change, or null.</param>
    public LinuxException(string call, int errno, string? advice = null)
        : base($"{call}: {Marshal.GetPInvokeErrorMessage(errno)} ({Native.Errno.Name(errno)} {errno}){(advice is null ? "" : ". " + advice)}")
    {
        Call = call;
        Errno = errno;
    }

    /// <summary>The error number, as in <see cref="Native.Errno"/>.</summary>
    public int Errno { get; }

    /// <summary>The C function that failed.</summary>
    public string Call { get; }

    /// <summary>The exception for a call that just failed on this thread and was imported with SetLastError.</summary>
    public static LinuxException Last(string call, string? advice = null) => new(call, Marshal.GetLastPInvokeError(), advice);
}
