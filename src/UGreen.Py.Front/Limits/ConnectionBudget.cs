using Microsoft.Extensions.Logging;
using UGreen.Py.Front.Uwsgi;

namespace UGreen.Py.Front;

/// <summary>Counts the connections of all sockets. Any thread.</summary>
internal sealed class ConnectionBudget(int limit, ILogger logger, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private readonly OncePerSecond _warnings = new(time);
    private int _open;

    /// <summary>Done when there is room for one more connection, which is then counted. First come, first served.</summary>
    public Task EnterAsync()
    {
        TaskCompletionSource place;
        lock (_lock)
        {
            if (_open < limit)
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
        TaskCompletionSource? next;
        lock (_lock)
        {
            // The place goes to the next one without becoming free in between.
            if (!_waiting.TryDequeue(out next)) _open--;
        }

        next?.SetResult();
    }
}
