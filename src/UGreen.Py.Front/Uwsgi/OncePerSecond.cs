namespace UGreen.Py.Front.Uwsgi;

/// <summary>Lets one event a second through and counts the others, so that a flood of bad requests is not a flood of log lines. Any thread.</summary>
internal sealed class OncePerSecond(TimeProvider time)
{
    private long _next = long.MinValue;
    private long _unsaid;

    /// <param name="unsaid">How many were held back since the last that passed.</param>
    public bool TryPass(out long unsaid)
    {
        unsaid = 0;
        var now = time.GetTimestamp();
        var next = Volatile.Read(ref _next);
        // Of several that come at the same moment the exchange lets one through.
        if (now < next || Interlocked.CompareExchange(ref _next, now + time.TimestampFrequency, next) != next)
        {
            Interlocked.Increment(ref _unsaid);
            return false;
        }

        unsaid = Interlocked.Exchange(ref _unsaid, 0);
        return true;
    }
}
