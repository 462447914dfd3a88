using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>C functions about processes: starting, waiting, users, titles.</summary>
public static unsafe partial class Libc
{
    public static class Spawn
    {
        // spawn.h of glibc.
        public const short SetSignalDefaults = 0x04;
        public const short SetSignalMask = 0x08;
        public const short SetSession = 0x80;
    }

    public static class WaitOptions
    {
        public const int Process = 1;
        public const int NoHang = 1;
        public const int Exited = 4;

        // si_code of SIGCHLD.
        public const int CodeExited = 1;
        public const int CodeKilled = 2;
        public const int CodeDumped = 3;
    }

    public static class ProcessControl
    {
        public const int SetName = 15;
    }

    // SAFETY: as in Libc.cs, every declaration mirrors its C prototype for 64-bit Linux; glibc's opaque structures are given as buffers of at least their size.
    [LibraryImport(Library)] internal static partial int getpid();
    [LibraryImport(Library)]
    public static partial int posix_spawnp(int* pid, byte* file, void* actions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport(Library)]
    public static partial int posix_spawn_file_actions_init(void* actions);

    [LibraryImport(Library)]
    public static partial int posix_spawn_file_actions_destroy(void* actions);

    [LibraryImport(Library)]
    public static partial int posix_spawn_file_actions_adddup2(void* actions, int from, int to);

    [LibraryImport(Library)]
    public static partial int posix_spawn_file_actions_addclose(void* actions, int fd);

    [LibraryImport(Library)]
    public static partial int posix_spawn_file_actions_addclosefrom_np(void* actions, int from);

    [LibraryImport(Library)]
    public static partial int posix_spawnattr_init(void* attributes);

    [LibraryImport(Library)]
    public static partial int posix_spawnattr_destroy(void* attributes);

    [LibraryImport(Library)]
    public static partial int posix_spawnattr_setflags(void* attributes, short flags);

    [LibraryImport(Library)]
    public static partial int posix_spawnattr_setsigmask(void* attributes, void* set);

    [LibraryImport(Library)]
    public static partial int posix_spawnattr_setsigdefault(void* attributes, void* set);

    [LibraryImport(Library)]
    public static partial int sigemptyset(void* set);

    [LibraryImport(Library)]
    public static partial int sigfillset(void* set);

    [LibraryImport(Library)]
    public static partial nuint getauxval(nuint type);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int execve(byte* path, byte** arguments, byte** environment);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int waitid(int kind, int id, void* info, int options);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int kill(int pid, int signal);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint syscall(nint number, nint first, nint second);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int pipe2(int* ends, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int prctl(int option, nint argument, nint third, nint fourth, nint fifth);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int unsetenv(string name);

    [LibraryImport(Library)]
    public static partial uint umask(uint mask);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int setuid(uint user);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int setgid(uint group);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int setgroups(nuint count, uint* groups);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int initgroups(string user, uint group);

    [LibraryImport(Library)]
    public static partial uint geteuid();

    [LibraryImport(Library)]
    public static partial uint getegid();

    [LibraryImport(Library, SetLastError = true)]
    public static partial int getresuid(uint* real, uint* effective, uint* saved);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int getresgid(uint* real, uint* effective, uint* saved);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int getpwnam_r(string name, void* entry, byte* buffer, nuint bytes, void** result);

    [LibraryImport(Library)]
    public static partial int getpwuid_r(uint user, void* entry, byte* buffer, nuint bytes, void** result);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int getgrnam_r(string name, void* entry, byte* buffer, nuint bytes, void** result);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int chown(string path, uint user, uint group);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fchown(int fd, uint user, uint group);
}
