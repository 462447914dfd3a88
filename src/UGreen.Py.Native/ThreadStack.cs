using System.Runtime.CompilerServices;

namespace UGreen.Py.Native;

/// <summary>Where the calling thread's stack lies.</summary>
public static unsafe class ThreadStack
{
    // sizeof(pthread_attr_t) is 56 on glibc for x86-64 and 64 on arm64; the margin costs nothing.
    private const int AttributesBytes = 128;

    /// <summary>
    /// The bounds of the calling thread's stack. The guard of glibc lies below <see cref="StackBounds.Low"/> and is not part of it.
    /// On a process's first thread the low end is only what the resource limit would allow to grow to.
    /// </summary>
    /// <exception cref="LinuxException">pthread_getattr_np failed.</exception>
    public static StackBounds Current()
    {
        byte* attributes = stackalloc byte[AttributesBytes];

        // SAFETY: the buffer is larger than pthread_attr_t; the attributes are read only after pthread_getattr_np filled them, and destroyed once.
        int errno = Libc.pthread_getattr_np(Libc.pthread_self(), attributes);
        if (errno != 0) throw new LinuxException("pthread_getattr_np", errno);
        nint low;
        nuint bytes;
        errno = Libc.pthread_attr_getstack(attributes, &low, &bytes);
        _ = Libc.pthread_attr_destroy(attributes);
        return errno == 0 ? new StackBounds(low, low + (nint)bytes) : throw new LinuxException("pthread_attr_getstack", errno);
    }

    /// <summary>An address within the frame of this call: the caller's stack pointer, less a few dozen bytes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static nint CurrentAddress()
    {
        byte here;

        // SAFETY: only the number is used; nobody follows the address after the frame is gone.
        return (nint)(&here);
    }

    /// <summary>
    /// Keeps the kernel from backing this range, whole pages of the calling thread's stack, with huge pages. A kernel without huge pages refuses, which is as good.
    /// </summary>
    public static void NoHugePages(nint address, nint bytes)
    {
        const int NoHugePage = 15; // MADV_NOHUGEPAGE
        _ = Libc.madvise(address, (nuint)bytes, NoHugePage);
    }
}
