using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>
/// A recursive mutex of glibc's knows its owner as an OS thread, which all green threads share, and would let each of them in. So which core has it is noted in its two words of a list that
/// only robust mutexes are in. The stubs write the note, too (x64-tries.s).
/// </summary>
public static class RecursiveMutex
{
    // struct __pthread_mutex_s: lock, count, owner, nusers, kind, spins and elision, list.
    public const int Count = 4;
    public const int Owner = 8;
    public const int Kind = 16;

    /// <summary>The identity of the core that has it; 0: nobody, or not known.</summary>
    public const int Core = 24;

    /// <summary>PTHREAD_MUTEX_RECURSIVE and nothing else: neither robust, nor shared by processes, nor with a priority.</summary>
    public const sbyte Recursive = 1;

    /// <summary>It is one.</summary>
    public static bool Is(nint mutex) => Marshal.ReadInt32(mutex + Kind) == Recursive;

    /// <summary>The identity of the core that has it; 0: none, or not known.</summary>
    public static nint CoreOf(nint mutex) => Is(mutex) ? Marshal.ReadIntPtr(mutex + Core) : 0;

    /// <summary>Takes any mutex for a core. Hub thread.</summary>
    /// <returns>0 or an errno, as pthread_mutex_trylock().</returns>
    public static int TryTake(nint mutex, nint core)
    {
        if (CoreOf(mutex) is not 0 and var holder && holder != core && Marshal.ReadInt32(mutex + Owner) == OwnProcess.ThreadId) return Errno.EBUSY;
        var error = Libc.pthread_mutex_trylock(mutex);
        if (error == 0 && Is(mutex)) Marshal.WriteIntPtr(mutex + Core, core);
        return error;
    }
}
