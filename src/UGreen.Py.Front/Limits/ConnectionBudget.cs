using Microsoft.Extensions.Logging;
using UGreen.Py.Front.Uwsgi;

namespace UGreen.Py.Front;

/// <summary>Counts the connections of all sockets. Any thread; its lock is taken twice in the life of a connection, never for a request.</summary>
internal sealed class ConnectionBudget(int limit, ILogger logger, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private readonly OncePerSecond _warnings = new(time);
    private TaskCompletionSource? _empty;
    private bool _isLifted;
    private int _open;

    /// <summary>Connections that are counted.</summary>
    public int Open
    {
        get
        {
            lock (_lock) return _open;
        }
    }

    /// <summary>Done when there is room for one more connection, which is then counted. First come, first served.</summary>
    public Task EnterAsync()
    {
        TaskCompletionSource place;
        lock (_lock)
        {
            if (_open < limit || _isLifted)
            {
                _open++;
                return Task.CompletedTask;
            }

            // Asynchronous: it is completed by the end of another connection, whose time must not be used for this one.
            place = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(place);
        }

        if (_warnings.TryPass(out _)) FrontLog.ConnectionsFull(logger, limit);
        return place.Task;
    }

    /// <summary>A counted connection has ended.</summary>
    public void Leave()
    {
        TaskCompletionSource? next, empty = null;
        lock (_lock)
        {
            // The place goes to the next one without becoming free in between.
            if (!_waiting.TryDequeue(out next) && --_open == 0) empty = _empty;
        }

        next?.SetResult();
        empty?.TrySetResult();
    }

    /// <summary>From now on there is room for everybody, also for those who wait.</summary>
    public void LiftLimit()
    {
        TaskCompletionSource[] admitted;
        lock (_lock)
        {
            _isLifted = true;
            admitted = [.. _waiting];
            _waiting.Clear();
            _open += admitted.Length;
        }

        foreach (var place in admitted) place.SetResult();
    }

    /// <summary>Done when no connection is counted. To be called when no new ones are accepted.</summary>
    public Task WhenEmptyAsync()
    {
        lock (_lock)
        {
            if (_open == 0) return Task.CompletedTask;
            return (_empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }
}
