using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>C's struct timespec on 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct Timespec
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    public readonly long Seconds;
    public readonly long Nanoseconds;

    /// <param name="nanoseconds">A span of time, not negative.</param>
    public Timespec(long nanoseconds)
    {
        Seconds = nanoseconds / NanosecondsPerSecond;
        Nanoseconds = nanoseconds % NanosecondsPerSecond;
    }
}
