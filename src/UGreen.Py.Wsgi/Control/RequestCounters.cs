namespace UGreen.Py.Wsgi.Control;

/// <summary>Counts the requests of one process. Written by the hub thread only; any thread may read, and sees each figure whole.</summary>
public sealed class RequestCounters : IRequestBoard
{
    private readonly long[] _began;
    private long _requests;
    private long _exceptions;
    private long _harakiris;
    private long _bytes;
    private long _nanoseconds;
    private int _busy;

    /// <param name="cores">Number of request cores.</param>
    public RequestCounters(int cores) => _began = new long[cores];

    /// <summary>Requests that have ended.</summary>
    public long Requests => Volatile.Read(ref _requests);

    /// <summary>Of them, those whose application raised.</summary>
    public long Exceptions => Volatile.Read(ref _exceptions);

    /// <summary>Of them, those that harakiri ended.</summary>
    public long Harakiris => Volatile.Read(ref _harakiris);

    /// <summary>Bytes of response bodies.</summary>
    public long SentBytes => Volatile.Read(ref _bytes);

    /// <summary>Time that the ended requests took, together.</summary>
    public long RunningMicroseconds => Volatile.Read(ref _nanoseconds) / 1000;

    /// <summary>Requests that run now.</summary>
    public int BusyCores => Volatile.Read(ref _busy);

    /// <inheritdoc/>
    public void Begin(int core, string method, string target, long now)
    {
        _began[core] = now;
        Volatile.Write(ref _busy, _busy + 1);
    }

    /// <inheritdoc/>
    public void SetKillTime(int core, long killTime)
    {
    }

    /// <inheritdoc/>
    public void Harakiri(int core) => Volatile.Write(ref _harakiris, _harakiris + 1);

    /// <inheritdoc/>
    public void End(int core, long now, long bytes, bool failed)
    {
        Volatile.Write(ref _nanoseconds, _nanoseconds + now - _began[core]);
        Volatile.Write(ref _bytes, _bytes + bytes);
        if (failed) Volatile.Write(ref _exceptions, _exceptions + 1);
        Volatile.Write(ref _busy, _busy - 1);
        Volatile.Write(ref _requests, _requests + 1);
    }
}
