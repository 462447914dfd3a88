using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Hub;
using UGreen.Py.Hub.Tests;
using Xunit;

namespace UGreen.Py.Wsgi.Tests;

/// <summary>What the log says, at debug level, of calls that waited.</summary>
public sealed class BlockingReportTests
{
    private readonly FakeClock _clock = new();
    private readonly TimerHeap _timers = new();
    private readonly RecordingLogger _log = new();
    private List<(string Name, long Count)> _counts = [];

    [Fact]
    public void EachMinuteHasTheCallsOfThatMinute()
    {
        Start();
        _counts = [("poll", 2), ("recv", 3), ("read", 2)];
        PassMinute();
        _counts = [("poll", 5), ("recv", 3), ("read", 3), ("sem_wait", 1)];
        PassMinute();
        Assert.Equal(["calls that waited green in the last minute: recv 3, poll 2, read 2", "calls that waited green in the last minute: poll 3, read 1, sem_wait 1"], Lines);
    }

    [Fact]
    public void AMinuteWithoutAnyHasNoLine()
    {
        Start();
        PassMinute();
        _counts = [("poll", 1)];
        PassMinute();
        PassMinute();
        Assert.Single(_log.Entries);
    }

    [Fact]
    public void TheEndSaysAll()
    {
        var report = Start();
        report!.End();
        _counts = [("poll", 1), ("recv", 7)];
        PassMinute();
        report.End();
        Assert.Equal("calls that waited green, in all: recv 7, poll 1", Lines[^1]);
        Assert.Equal(2, Lines.Count);
    }

    [Fact]
    public void NothingIsDoneWhereNobodyReadsIt()
    {
        Assert.Null(BlockingReport.Start(() => _counts, _timers, _clock, NullLogger.Instance));
        Assert.Equal(0, _timers.Count);
    }

    private List<string> Lines => [.. _log.Entries.Select(entry => entry.Text)];

    private BlockingReport? Start()
    {
        var report = BlockingReport.Start(() => _counts, _timers, _clock, _log);
        Assert.NotNull(report);
        return report;
    }

    private void PassMinute()
    {
        _clock.Advance(BlockingReport.Every);
        _timers.FireDue(_clock.Now);
        Assert.All(_log.Entries, entry => Assert.Equal(LogLevel.Debug, entry.Level));
    }
}
