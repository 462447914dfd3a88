using System.Diagnostics;
using System.Text;
using UGreen.Py.Front.Logs;

namespace UGreen.Py.Front.Tests;

/// <summary>Lines of an access log whose clock stands: 2026-01-02 18:04:05.123 UTC, shown at +05:30; each request took 1.5 s.</summary>
internal static class LoggedLines
{
    public static readonly TimeProvider Clock = new StandingClock();

    public static readonly long Elapsed = (long)(1.5 * Stopwatch.Frequency);

    public static string Of(LoggedExchange exchange, IRequestFormat? format = null, int status = 200, bool aborted = false, RequestFilter? filter = null, bool forwarded = false, long? elapsed = null)
    {
        using var stream = new MemoryStream();
        var batch = new LineBatch(stream);
        new AccessLog(batch, Clock, format) { Filter = filter, ShowForwardedFor = forwarded }.Log(exchange, status, elapsed ?? Elapsed, aborted);
        batch.Flush();
        return Encoding.Latin1.GetString(stream.ToArray());
    }

    /// <summary>Bytes that this thread allocates for 1,000 lines, once the compiler has done its best: before, it boxes what interpolated strings hold.</summary>
    public static long AllocatedBy(IRequestFormat format, LoggedExchange exchange)
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Many();
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated == 0 || Stopwatch.GetElapsedTime(begun) > TestFront.Patience) return allocated;
        }

        // A batch's own buffers grow with what is pending, which depends on the pool; so only the formatting is measured.
        void Many()
        {
            for (var i = 0; i < 1000; i++)
            {
                _ = format.Format(new RequestEntry
                {
                    Exchange = exchange,
                    Address = exchange.RemoteAddress,
                    Status = 200,
                    ElapsedTicks = Elapsed,
                    Aborted = false,
                    Time = Clock,
                });
            }
        }
    }

    private sealed class StandingClock : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone { get; } = TimeZoneInfo.CreateCustomTimeZone("test", new TimeSpan(5, 30, 0), null, null);

        public override DateTimeOffset GetUtcNow() => new(2026, 1, 2, 18, 4, 5, 123, TimeSpan.Zero);
    }
}
