using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>What processes share: memory, socket pairs.</summary>
public static unsafe partial class Libc
{
    public static class Sharing
    {
        public const int MapShared = 0x01;
        public const uint MemFdCloseOnExec = 0x1;
        public const int UnixFamily = 1;
        public const int StreamCloseOnExec = 1 | 0x80000;
    }

    // SAFETY: as in Libc.cs.
    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int memfd_create(string name, uint flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int ftruncate(int fd, long bytes);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int socketpair(int domain, int type, int protocol, int* pair);
}
