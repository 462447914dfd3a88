using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>Guard pages.</summary>
public static class PageProtection
{
    /// <summary>Forbids every access to whole pages; touching them raises SIGSEGV.</summary>
    /// <param name="address">Page-aligned.</param>
    /// <param name="bytes">A multiple of the page size.</param>
    /// <exception cref="LinuxException">ENOMEM: splitting the mapping would exceed vm.max_map_count, which the message names.</exception>
    public static void None(nint address, nint bytes) => Set(address, bytes, Libc.Protection.None);

    /// <summary>Allows reading and writing again.</summary>
    /// <param name="address">Page-aligned.</param>
    /// <param name="bytes">A multiple of the page size.</param>
    /// <exception cref="LinuxException">mprotect failed.</exception>
    public static void ReadWrite(nint address, nint bytes) => Set(address, bytes, Libc.Protection.Read | Libc.Protection.Write);

    private static void Set(nint address, nint bytes, int protection)
    {
        if (Libc.mprotect(address, (nuint)bytes, protection) == 0) return;
        int errno = Marshal.GetLastPInvokeError();
        throw new LinuxException("mprotect", errno, errno == Errno.ENOMEM
            ? "Every guard page splits a memory mapping and the process may hold only so many: raise vm.max_map_count (sysctl) or use fewer cores."
            : null);
    }
}
