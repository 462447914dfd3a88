using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

// What the hub needs to wait in the place of a call of the C library. Each by its C name.
// SAFETY: declarations with the types of the C library's headers; memory is only touched by C, and callers say for how long it is there.
public static unsafe partial class Libc
{
    [LibraryImport(Library)] public static partial int gettid();
    [LibraryImport(Library)] public static partial int __register_atfork(nint prepare, nint parent, nint child, nint dso);
    [LibraryImport(Library)] public static partial nint __errno_location();
    [LibraryImport(Library)] public static partial int sem_trywait(nint semaphore);
    [LibraryImport(Library)] public static partial int pthread_mutex_trylock(nint mutex);
    [LibraryImport(Library)] public static partial int pthread_mutex_unlock(nint mutex);
    [LibraryImport(Library)] public static partial int pthread_condattr_init(void* attributes);
    [LibraryImport(Library)] public static partial int pthread_condattr_setclock(void* attributes, int clock);
    [LibraryImport(Library)] public static partial int pthread_condattr_setpshared(void* attributes, int shared);
    [LibraryImport(Library)] public static partial int pthread_cond_init(void* condition, void* attributes);
    [LibraryImport(Library)] public static partial int pthread_tryjoin_np(nint thread, nint result);
    [LibraryImport(Library, SetLastError = true)] public static partial int clock_gettime(int clock, Timespec* now);
    [LibraryImport(Library, SetLastError = true)] public static partial int select(int count, void* read, void* write, void* except, void* time);
    [LibraryImport(Library, SetLastError = true)] public static partial nint send(int fd, nint buffer, nint bytes, int flags);
    [LibraryImport(Library, SetLastError = true, EntryPoint = "write")] public static partial nint write_from(int fd, nint buffer, nint bytes);
    [LibraryImport(Library, SetLastError = true)] public static partial nint process_vm_readv(int pid, IoVector* local, nuint localCount, IoVector* remote, nuint remoteCount, nuint flags);
    [LibraryImport(Library, SetLastError = true)] public static partial int fstat(int fd, void* status);
    [LibraryImport(Library, SetLastError = true)] public static partial nint preadv2(int fd, IoVector* parts, int count, nint offset, int flags);
    [LibraryImport(Library, SetLastError = true)] public static partial nint pwritev2(int fd, IoVector* parts, int count, nint offset, int flags);
    [LibraryImport(Library, SetLastError = true, EntryPoint = "waitpid")] public static partial int waitpid_into(int pid, nint status, int options);
}
