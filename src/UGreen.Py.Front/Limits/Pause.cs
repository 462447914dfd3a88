namespace UGreen.Py.Front;

/// <summary>
/// The wait of one reader or writer for its client. It is used for many waits, one after the other, and watched from the first one of a request to <see cref="Reset"/>.
/// <para>Invariant: <c>_end</c> is called only while the wait that took too long still lasts: both the end of a wait and the call are under <c>_lock</c>.</para>
/// </summary>
internal sealed class Pause(PauseWatch? watch, Action end)
{
    // No timestamp is that old.
    private const long Nobody = long.MaxValue;

    private readonly Lock _lock = new();
    private long _since = Nobody;
    private bool _isWatched;
    private bool _isOver;

    /// <summary>Its place in the watch's list; the watch's own.</summary>
    public int Index { get; set; }

    /// <summary>Nothing is watched: waits may take for ever.</summary>
    public bool IsOff => watch is null;

    /// <summary>How long a wait may take, in seconds.</summary>
    public double Seconds => watch?.Limit.TotalSeconds ?? 0;

    public void Begin()
    {
        if (!_isWatched)
        {
            _isWatched = true;
            watch!.Add(this);
        }

        Volatile.Write(ref _since, watch!.Now);
    }

    /// <returns>True when it took too long and was ended.</returns>
    public bool End()
    {
        lock (_lock)
        {
            _since = Nobody;
            return _isOver;
        }
    }

    /// <summary>The request has ended.</summary>
    public void Reset()
    {
        _isOver = false;
        if (!_isWatched) return;
        _isWatched = false;
        watch!.Remove(this);
    }

    public bool IsOlderThan(long moment) => Volatile.Read(ref _since) < moment;

    public void EndIfOlderThan(long moment)
    {
        lock (_lock)
        {
            if (_since >= moment) return;
            _since = Nobody;
            _isOver = true;
            end();
        }
    }
}
