using System.Diagnostics;

namespace UGreen.Py.Hub;

/// <summary>The machine's monotonic clock.</summary>
public sealed class SystemClock : IClock
{
    // On Linux a Stopwatch tick is a nanosecond; the factor keeps the unit right where it is not.
    private static readonly long s_nanosecondsPerTick = Math.Max(1, 1_000_000_000L / Stopwatch.Frequency);

    public long Now => Stopwatch.GetTimestamp() * s_nanosecondsPerTick;
}
