using Microsoft.Win32.SafeHandles;

namespace UGreen.Py.Native;

/// <summary>Files without a name, which exist as long as somebody has them open (memfd_create).</summary>
public static class AnonymousFile
{
    /// <summary>Makes one; not inherited by itself.</summary>
    /// <param name="name">Shown in <c>/proc/PID/maps</c>.</param>
    /// <param name="contents">What stands in it.</param>
    /// <exception cref="LinuxException">No memory, or no descriptor.</exception>
    public static SafeFileHandle Create(string name, ReadOnlySpan<byte> contents)
    {
        var fd = Libc.memfd_create(name, Libc.Sharing.MemFdCloseOnExec);
        if (fd < 0) throw LinuxException.Last("memfd_create");
        var file = new SafeFileHandle(fd, ownsHandle: true);
        var errno = OutputDescriptor.Write(fd, contents, out _);
        if (errno == 0) return file;
        file.Dispose();
        throw new LinuxException("write", errno);
    }
}
