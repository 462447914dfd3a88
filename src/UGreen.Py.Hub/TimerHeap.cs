namespace UGreen.Py.Hub;

/// <summary>
/// Armed timers, the earliest on top. A binary heap in which each timer knows its place, so that disarming one (the usual end of a time-out: the data came first)
/// costs O(log n) and leaves nothing behind; with lazy deletion a busy server would drag along every time-out that never fired.
/// Belongs to the hub thread; allocates only when it grows.
/// </summary>
public sealed class TimerHeap
{
    private HubTimer[] _heap = new HubTimer[64];
    private long _sequence;

    /// <summary>Number of armed timers.</summary>
    public int Count { get; private set; }

    /// <summary>Due time of the earliest timer in nanoseconds; <see cref="long.MaxValue"/> when none is armed.</summary>
    public long NextDue => Count > 0 ? _heap[0].Due : long.MaxValue;

    /// <summary>Arms the timer, or moves it when it is armed already.</summary>
    public void Arm(HubTimer timer, long due)
    {
        Disarm(timer);
        if (Count == _heap.Length) Array.Resize(ref _heap, _heap.Length * 2);
        timer.Due = due;
        timer.Sequence = _sequence++;
        Place(timer, Count++);
        Up(timer.Index);
    }

    /// <summary>Takes the timer out. Nothing happens when it is not armed.</summary>
    public void Disarm(HubTimer timer)
    {
        var at = timer.Index;
        if (at < 0) return;
        timer.Index = -1;
        var last = _heap[--Count];
        _heap[Count] = null!;
        if (last == timer) return;
        Place(last, at);
        Up(at);
        Down(last.Index);
    }

    /// <summary>Fires, in order of their due time, all timers that are due at <paramref name="now"/>. Timers armed meanwhile wait for the next call, even when due at once.</summary>
    public void FireDue(long now)
    {
        var limit = _sequence;
        while (Count > 0 && _heap[0].Due <= now)
        {
            // On top may be one that a callback has just armed for a time that is past already: it waits, and must not hold up those behind it.
            var timer = _heap[0].Sequence < limit ? _heap[0] : EarliestBefore(limit, now);
            if (timer is null) return;
            Disarm(timer);
            timer.Fire();
        }
    }

    // A plain search: hub code arms for the future, so this is rare.
    private HubTimer? EarliestBefore(long sequence, long now)
    {
        HubTimer? earliest = null;
        for (var i = 0; i < Count; i++)
        {
            var timer = _heap[i];
            if (timer.Sequence < sequence && timer.Due <= now && (earliest is null || Before(timer, earliest))) earliest = timer;
        }

        return earliest;
    }

    private static bool Before(HubTimer a, HubTimer b) => a.Due < b.Due || (a.Due == b.Due && a.Sequence < b.Sequence);

    private void Place(HubTimer timer, int at)
    {
        _heap[at] = timer;
        timer.Index = at;
    }

    private void Up(int at)
    {
        var timer = _heap[at];
        while (at > 0 && Before(timer, _heap[(at - 1) / 2]))
        {
            Place(_heap[(at - 1) / 2], at);
            at = (at - 1) / 2;
        }

        Place(timer, at);
    }

    private void Down(int at)
    {
        var timer = _heap[at];
        while (true)
        {
            var child = (2 * at) + 1;
            if (child >= Count) break;
            if (child + 1 < Count && Before(_heap[child + 1], _heap[child])) child++;
            if (!Before(_heap[child], timer)) break;
            Place(_heap[child], at);
            at = child;
        }

        Place(timer, at);
    }
}
