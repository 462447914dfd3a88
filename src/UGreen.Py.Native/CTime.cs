using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>Times that callers of the C library give: as structs in their memory, on several clocks.</summary>
public static unsafe class CTime
{
    /// <summary>CLOCK_REALTIME.</summary>
    public const int RealTime = 0;

    /// <summary>CLOCK_MONOTONIC.</summary>
    public const int Monotonic = 1;

    // SAFETY: a struct timespec of zeros that is never freed.
    /// <summary>Address of a struct timespec, or timeval, that is no time.</summary>
    public static nint Zero { get; } = (nint)NativeMemory.AllocZeroed(2, sizeof(long));

    private const long NanosecondsPerSecond = 1_000_000_000;
    private const long NanosecondsPerMicrosecond = 1_000;
    private const long MicrosecondsPerSecond = 1_000_000;

    // Also CLOCK_BOOTTIME and CLOCK_TAI: those that run whether a thread does or not.
    private static readonly int[] s_clocks = [RealTime, Monotonic, 7, 11];

    /// <summary>The struct timespec at an address is one.</summary>
    public static bool IsValid(nint timespec)
        => Marshal.ReadInt64(timespec) >= 0 && Marshal.ReadInt64(timespec, sizeof(long)) is >= 0 and < NanosecondsPerSecond;

    /// <summary>As <see cref="IsValid"/>, but it may be before the clock's beginning.</summary>
    public static bool HasNanoseconds(nint timespec) => Marshal.ReadInt64(timespec, sizeof(long)) is >= 0 and < NanosecondsPerSecond;

    /// <summary>Nanoseconds of a valid struct timespec; what is too long is the longest.</summary>
    public static long Nanoseconds(nint timespec) => Sum(Marshal.ReadInt64(timespec), Marshal.ReadInt64(timespec, sizeof(long)));

    /// <summary>Writes a struct timespec.</summary>
    public static void Write(nint timespec, long nanoseconds)
    {
        Marshal.WriteInt64(timespec, nanoseconds / NanosecondsPerSecond);
        Marshal.WriteInt64(timespec, sizeof(long), nanoseconds % NanosecondsPerSecond);
    }

    /// <summary>Nanoseconds of a struct timeval; null: it is none.</summary>
    public static long? OfTimeval(nint timeval)
    {
        var (seconds, micros) = (Marshal.ReadInt64(timeval), Marshal.ReadInt64(timeval, sizeof(long)));
        if (seconds < 0 || micros < 0) return null;
        return Sum(seconds + (micros / MicrosecondsPerSecond), micros % MicrosecondsPerSecond * NanosecondsPerMicrosecond);
    }

    /// <summary>Nanoseconds from now to a moment on a clock. False: it is not a clock that can be waited for in this way.</summary>
    public static bool TryUntil(int clock, nint timespec, out long left)
    {
        left = 0;
        Timespec now;
        // SAFETY: a local that is filled in for the length of the call.
        if (Array.IndexOf(s_clocks, clock) < 0 || Libc.clock_gettime(clock, &now) != 0) return false;
        left = Math.Max(0, Nanoseconds(timespec)) - Sum(now.Seconds, now.Nanoseconds);
        return true;
    }

    /// <summary>A clock on which a span of time is as long as on any other.</summary>
    public static bool IsClock(int clock) => Array.IndexOf(s_clocks, clock) >= 0;

    private static long Sum(long seconds, long nanoseconds)
        => seconds < 0 ? -1 : seconds >= (long.MaxValue / NanosecondsPerSecond) - 1 ? long.MaxValue : (seconds * NanosecondsPerSecond) + nanoseconds;
}
