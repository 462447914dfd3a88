namespace UGreen.Py.Front.Transport;

/// <summary>
/// What Kestrel's code asks of the object around a connection: to be ticked, to hear that the connection is to end, to be called when it has.
/// </summary>
#pragma warning disable CA1001 // a token source without a timer holds nothing that has to be given back
internal sealed class ConnectionLife
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _closeRequested = new();
    private (Action<object> Action, object State)[] _ticks = [];
    private Stack<(Func<object, Task> Action, object State)>? _completed;

    public CancellationToken CloseRequested => _closeRequested.Token;

    /// <summary>Any thread. Its callbacks run here; that one of them fails is not the caller's affair, who has other connections to tell.</summary>
    public void RequestClose(FaultLog faults)
    {
        if (_closeRequested.IsCancellationRequested) return;
        try
        {
            _closeRequested.Cancel();
        }
        catch (AggregateException error)
        {
            faults.Tell(error);
        }
    }

    /// <summary>Adds what is called once a second. Of one connection, one at a time.</summary>
    public void OnTick(Action<object> action, object state) => Volatile.Write(ref _ticks, [.. _ticks, (action, state)]);

    /// <summary>Any thread.</summary>
    public void Tick()
    {
        foreach (var (action, state) in Volatile.Read(ref _ticks)) action(state);
    }

    public void OnCompleted(Func<object, Task> action, object state) => (_completed ??= new()).Push((action, state));

    /// <summary>The connection's code has ended.</summary>
    public async Task CompleteAsync(FaultLog faults)
    {
        while (_completed is not null && _completed.TryPop(out var callback))
        {
            try
            {
                await callback.Action(callback.State).ConfigureAwait(false);
            }
#pragma warning disable CA1031 // one callback's
            catch (Exception error)
#pragma warning restore CA1031
            {
                faults.Tell(error);
            }
        }
    }
}
