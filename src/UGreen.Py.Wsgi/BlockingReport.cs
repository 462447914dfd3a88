using System.Globalization;
using Microsoft.Extensions.Logging;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi;

/// <summary>
/// Says at debug level how often calls of the C library have waited, by function: each minute in which any did, and in all at the end of the worker. It shows what an application spends
/// its time with, and whether what it does waits green at all. Hub thread.
/// </summary>
internal sealed partial class BlockingReport
{
    /// <summary>From one line to the next, in nanoseconds.</summary>
    public const long Every = 60_000_000_000;

    private readonly Func<IEnumerable<(string Name, long Count)>> _counts;
    private readonly TimerHeap _timers;
    private readonly IClock _clock;
    private readonly ILogger _log;
    private readonly HubTimer _timer;
    private Dictionary<string, long> _told = [];

    private BlockingReport(Func<IEnumerable<(string Name, long Count)>> counts, TimerHeap timers, IClock clock, ILogger log)
    {
        (_counts, _timers, _clock, _log) = (counts, timers, clock, log);
        _timer = new HubTimer(static t => ((BlockingReport)t.Owner).Tick(), this);
    }

    /// <summary>Begins to tell. Null when nobody would read it.</summary>
    /// <param name="counts">How often each function has waited until now.</param>
    /// <param name="timers">The hub's.</param>
    /// <param name="clock">The hub's.</param>
    /// <param name="log">Where to.</param>
    public static BlockingReport? Start(Func<IEnumerable<(string Name, long Count)>> counts, TimerHeap timers, IClock clock, ILogger log)
    {
        if (!log.IsEnabled(LogLevel.Debug)) return null;
        var report = new BlockingReport(counts, timers, clock, log);
        timers.Arm(report._timer, clock.Now + Every);
        return report;
    }

    /// <summary>The hub has ended.</summary>
    public void End()
    {
        var text = Text(_counts());
        if (text.Length > 0) InAll(text);
    }

    private void Tick()
    {
        var now = _counts().ToDictionary(one => one.Name, one => one.Count);
        var text = Text(now.Select(one => (one.Key, one.Value - _told.GetValueOrDefault(one.Key))));
        if (text.Length > 0) InTheLastMinute(text);
        _told = now;
        _timers.Arm(_timer, _clock.Now + Every);
    }

    // The most frequent first.
    private static string Text(IEnumerable<(string Name, long Count)> counts)
        => string.Join(", ", counts.Where(one => one.Count > 0).OrderByDescending(one => one.Count).ThenBy(one => one.Name, StringComparer.Ordinal)
            .Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Name} {one.Count}")));

    [LoggerMessage(EventId = 788, Level = LogLevel.Debug, Message = "calls that waited green in the last minute: {Counts}")]
    private partial void InTheLastMinute(string counts);

    [LoggerMessage(EventId = 789, Level = LogLevel.Debug, Message = "calls that waited green, in all: {Counts}")]
    private partial void InAll(string counts);
}
