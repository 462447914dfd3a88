using System.Threading.Tasks.Sources;

namespace UGreen.Py.Front.Transport;

/// <summary>One writer's wait for room in its socket, used again and again.</summary>
internal sealed class RoomWait : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _core;
    private bool _isAwaited;

    /// <summary>One at a time.</summary>
    public ValueTask Begin()
    {
        _isAwaited = true;
        _core.Reset();
        return new ValueTask(this, _core.Version);
    }

    /// <summary>There is room, or the connection is closed. Nothing happens when nobody waits.</summary>
    public void End()
    {
        if (!_isAwaited) return;
        _isAwaited = false;
        _core.SetResult(true);
    }

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => _core.OnCompleted(continuation, state, token, flags);
}
