using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>
/// The C functions of the house, under their C names. Nothing is decided here: callers check results and read errno by
/// <see cref="Marshal.GetLastPInvokeError"/>. "libc" is mapped to the system's libc.so.6 by the runtime.
/// </summary>
public static unsafe partial class Libc
{
    private const string Library = "libc";

    public static class Protection
    {
        public const int None = 0;
        public const int Read = 1;
        public const int Write = 2;
        public const int Execute = 4;
    }

    public static class Map
    {
        public const int Private = 0x02;
        public const int Anonymous = 0x20;
        public const nint Failed = -1;
    }

    public static class EpollControl
    {
        public const int CloseOnExec = 0x80000;
        public const int Add = 1;
        public const int Delete = 2;
        public const int Modify = 3;
    }

    public static class EventFdFlags
    {
        public const int CloseOnExec = 0x80000;
        public const int NonBlocking = 0x800;
    }

    public static class DlFlags
    {
        public const int Now = 0x002;
        public const int NoLoad = 0x004;
        public const int Global = 0x100;
    }

    /// <summary>C's Dl_info.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct DlInfo
    {
        public nint File;
        public nint Base;
        public nint Symbol;
        public nint SymbolAddress;
    }

    public static class FileControl
    {
        public const int GetFd = 1;
        public const int SetFd = 2;
        public const int GetFlags = 3;
        public const int SetFlags = 4;
        public const int CloseOnExec = 1;
        public const int DuplicateCloseOnExec = 1030;
        public const int NonBlocking = 0x800;
    }

    public static class OpenFlags
    {
        public const int WriteOnly = 0x1;
        public const int Create = 0x40;
        public const int Exclusive = 0x80;
        public const int NoTerminal = 0x100;
        public const int Append = 0x400;
        public const int NonBlocking = 0x800;
        public const int CloseOnExec = 0x80000;
    }

    public static class Socket
    {
        public const int SolSocket = 1;
        public const int SoError = 4;
        public const int SoType = 3;
        public const int SoAcceptConn = 30;
        public const int Stream = 1;
    }

    public static class Signal
    {
        public const int Hangup = 1;
        public const int Segv = 11;
        public const int User2 = 12;
        public const int Alarm = 14;
        public const int Child = 17;
        public const nint Default = 0;
        public const nint Ignore = 1;
        public const int FlagSigInfo = 0x4;
        public const int FlagOnStack = 0x0800_0000;
    }

    // SAFETY: every declaration below mirrors its C prototype for 64-bit Linux; pointers are valid for the length the callers state.
    [LibraryImport(Library, SetLastError = true)]
    public static partial int epoll_create1(int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int epoll_ctl(int epfd, int op, int fd, EpollEvent* evt);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int epoll_wait(int epfd, EpollEvent* events, int maxEvents, int timeoutMs);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int epoll_pwait2(int epfd, EpollEvent* events, int maxEvents, Timespec* timeout, nint signalMask);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int ppoll(PollFd* fds, nuint count, Timespec* timeout, nint signalMask);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int eventfd(uint initial, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint read(int fd, void* buffer, nuint bytes);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint write(int fd, void* buffer, nuint bytes);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int close(int fd);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fcntl(int fd, int command, int argument);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int open(string path, int flags, int mode);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int statx(int folder, string path, int flags, uint mask, void* status);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int dup3(int from, int to, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int isatty(int fd);

    [LibraryImport(Library)]
    public static partial int getsockopt(int fd, int level, int option, void* value, uint* length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint mmap(nint address, nuint bytes, int protection, int flags, int fd, long offset);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int munmap(nint address, nuint bytes);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int mprotect(nint address, nuint bytes, int protection);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int madvise(nint address, nuint bytes, int advice);

    [LibraryImport(Library)]
    public static partial nint pthread_self();

    [LibraryImport(Library)]
    public static partial int pthread_getattr_np(nint thread, void* attributes);

    [LibraryImport(Library)]
    public static partial int pthread_attr_getstack(void* attributes, nint* low, nuint* bytes);

    [LibraryImport(Library)]
    public static partial int pthread_attr_destroy(void* attributes);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint dlopen(string? path, int flags);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint dlsym(nint handle, string name);

    [LibraryImport(Library)]
    public static partial nint dlerror();

    [LibraryImport(Library)]
    public static partial int dladdr(nint address, DlInfo* info);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int sigaction(int signal, SignalAction* action, SignalAction* previous);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int setenv(string name, string value, int overwrite);

    [LibraryImport(Library, EntryPoint = "_exit")]
    public static partial void _exit(int code);
}
