using UGreen.Py.Front.Uwsgi;

namespace UGreen.Py.Front;

/// <summary>
/// Finds waits for a client that take too long. One timer looks at all of them now and then; a wait itself costs two assignments, and a read that has its bytes nothing.
/// Any thread.
/// </summary>
internal sealed class PauseWatch : IDisposable
{
    /// <summary>A wait ends this much late at most.</summary>
    private static readonly TimeSpan s_longestPeriod = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan s_shortestPeriod = TimeSpan.FromMilliseconds(20);

    private readonly Lock _lock = new();
    private readonly List<Pause> _watched = [];
    private readonly TimeProvider _time;
    private readonly long _limitTicks;
    private readonly ITimer _timer;

    /// <param name="limit">How long a wait may take.</param>
    /// <param name="time">The clock.</param>
    public PauseWatch(TimeSpan limit, TimeProvider time)
    {
        Limit = limit;
        _time = time;
        Lines = new OncePerSecond(time);
        _limitTicks = Math.Max(1, (long)(limit.TotalSeconds * time.TimestampFrequency));
        var period = TimeSpan.FromTicks(Math.Clamp(limit.Ticks / 8, s_shortestPeriod.Ticks, s_longestPeriod.Ticks));
        _timer = time.CreateTimer(static watch => ((PauseWatch)watch!).Look(), this, period, period);
    }

    public TimeSpan Limit { get; }

    /// <summary>For lines about waits that took too long: a client can have a hundred of them at a time.</summary>
    public OncePerSecond Lines { get; }

    public long Now => _time.GetTimestamp();

    public void Add(Pause pause)
    {
        lock (_lock)
        {
            pause.Index = _watched.Count;
            _watched.Add(pause);
        }
    }

    public void Remove(Pause pause)
    {
        lock (_lock)
        {
            // The last one takes the place: the order means nothing.
            var last = _watched[^1];
            _watched[pause.Index] = last;
            last.Index = pause.Index;
            _watched.RemoveAt(_watched.Count - 1);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        var before = Now - _limitTicks;
        Pause[] late;
        lock (_lock) late = [.. _watched.Where(p => p.IsOlderThan(before))];

        // Not under the lock: what ends a wait may run whatever waited.
        foreach (var pause in late) pause.EndIfOlderThan(before);
    }
}
