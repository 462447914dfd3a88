namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// Green threads that wait for condition variables, by address, first come first served. Hub thread.
/// <para>
/// Invariant: a green thread is counted here before it lets go of the mutex, so whoever signals after having had the mutex tells the hub. A signal may be told twice or to nobody: waking one
/// too many is allowed, as every caller looks at its condition again.
/// </para>
/// </summary>
/// <param name="count">Tells the stubs of one waiter more or less; a full barrier.</param>
internal sealed class ConditionWaiters(Action<int> count)
{
    // Of those at one address the first; its Previous is the last, and the last's Next is null.
    private readonly Dictionary<nint, BlockingWait> _first = [];

    /// <summary>Lets it wait. The GIL may be anybody's.</summary>
    public void Add(BlockingWait wait, nint address)
    {
        wait.Address = address;
        wait.Next = null;
        if (_first.TryGetValue(address, out var first))
        {
            wait.Previous = first.Previous;
            wait.Previous!.Next = wait;
            first.Previous = wait;
        }
        else
        {
            wait.Previous = wait;
            _first.Add(address, wait);
        }

        count(1);
    }

    /// <summary>It waits no longer.</summary>
    public void Remove(BlockingWait wait)
    {
        if (wait.Address == 0) return;
        var first = _first[wait.Address];
        if (first != wait)
        {
            wait.Previous!.Next = wait.Next;
            (wait.Next ?? first).Previous = wait.Previous;
        }
        else if (wait.Next is { } second)
        {
            second.Previous = wait.Previous;
            _first[wait.Address] = second;
        }
        else
        {
            _first.Remove(wait.Address);
        }

        wait.Next = wait.Previous = null;
        wait.Address = 0;
        count(-1);
    }

    /// <summary>It was signalled: the first who waits goes on, or all.</summary>
    public void Signal(nint address, bool all)
    {
        while (_first.TryGetValue(address, out var wait))
        {
            Remove(wait);
            wait.Green.Wake(WakeCause.Released);
            if (!all) return;
        }
    }

    /// <summary>Any may have been signalled.</summary>
    public void WakeAll()
    {
        foreach (var address in _first.Keys.ToArray()) Signal(address, all: true);
    }
}
