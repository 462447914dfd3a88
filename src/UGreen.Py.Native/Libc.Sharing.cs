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
        public const int Messages = 5 | 0x80000 | 0x800; // SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK
        public const uint MemFdAllowSealing = 0x2;
        public const int AddSeals = 1033;
        public const int SealSize = 0x1 | 0x2 | 0x4; // F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW
    }

    // SAFETY: as in Libc.cs.
    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int memfd_create(string name, uint flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int ftruncate(int fd, long bytes);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int socketpair(int domain, int type, int protocol, int* pair);
}
