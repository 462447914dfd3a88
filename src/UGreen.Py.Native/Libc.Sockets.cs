using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>Stream sockets that never block.</summary>
public static unsafe partial class Libc
{
    public static class Sockets
    {
        public const int AcceptFlags = 0x80000 | 0x800; // SOCK_CLOEXEC | SOCK_NONBLOCK
        public const int NoSignal = 0x4000;
        public const int More = 0x8000;
        public const int TcpLevel = 6;
        public const int NoDelay = 1;
        public const int KeepIdle = 4;
        public const int KeepInterval = 5;
        public const int KeepCount = 6;
        public const int Linger = 13;
        public const int ShutRead = 0;
        public const int KeepAlive = 9;
        public const nuint OutputQueue = 0x5411; // SIOCOUTQ
        public const int ShutWrite = 1;
        public const int ShutBoth = 2;
        public const int AddressBytes = 128; // struct sockaddr_storage
    }

    /// <summary>C's struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct IoVector
    {
        public void* Base;
        public nuint Bytes;
    }

    /// <summary>C's struct msghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public void* Name;
        public uint NameBytes;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlBytes;
        public int Flags;
    }

    // SAFETY: as in Libc.cs.
    [LibraryImport(Library, SetLastError = true)]
    public static partial int accept4(int fd, void* address, uint* bytes, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int getsockname(int fd, void* address, uint* bytes);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int getpeername(int fd, void* address, uint* bytes);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint recv(int fd, void* buffer, nuint bytes, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint send(int fd, void* buffer, nuint bytes, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint sendmsg(int fd, MessageHeader* message, int flags);

    [LibraryImport(Library)]
    public static partial int ioctl(int fd, nuint request, int* value);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int setsockopt(int fd, int level, int option, void* value, uint bytes);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int shutdown(int fd, int how);
}
