namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// Green threads that wait for locks of one kind, by the lock's address, first come first served. Hub thread.
/// <para>
/// Invariant: a release that comes after <see cref="Add"/> is noted by the stub, so the lock is tried once more behind it; and a lock is taken here, for the green thread that is then
/// woken, so that no one else can come between.
/// </para>
/// </summary>
/// <param name="tryTake">Takes the lock at an address for one that waits: 0 when it could.</param>
/// <param name="count">Tells the stubs of one waiter more or less; a full barrier.</param>
/// <param name="firstIdNow">The lowest <see cref="GreenThread.Id"/> that a green thread can get that is started from now on.</param>
internal sealed class LockWaiters(Func<nint, BlockingWait, int> tryTake, Action<int> count, Func<long> firstIdNow)
{
    private readonly Dictionary<nint, Queue> _queues = [];
    private readonly Stack<Queue> _spare = [];

    /// <summary>How many wait.</summary>
    public int Count { get; private set; }

    /// <summary>Lets it wait for a lock. False: it has the lock already.</summary>
    public bool Add(BlockingWait wait, nint address)
    {
        if (!_queues.TryGetValue(address, out var queue))
        {
            _queues.Add(address, queue = _spare.TryPop(out var spare) ? spare : new Queue());
            queue.HeldBefore = firstIdNow();
        }

        queue.Append(wait);
        wait.Address = address;
        Count++;
        count(1);

        // What was released before it was counted, nobody has told.
        if (queue.First != wait || tryTake(address, wait) != 0) return true;
        Remove(wait);
        return false;
    }

    /// <summary>It waits no longer.</summary>
    public void Remove(BlockingWait wait)
    {
        if (wait.Address == 0) return;
        var queue = _queues[wait.Address];
        queue.Unlink(wait);
        if (queue.First is null)
        {
            _queues.Remove(wait.Address);
            _spare.Push(queue);
        }

        wait.Address = 0;
        Count--;
        count(-1);
    }

    /// <summary>The lock at an address was released: it goes to those who wait.</summary>
    public void Grant(nint address)
    {
        while (_queues.TryGetValue(address, out var queue) && queue.First is { } wait)
        {
            queue.HeldBefore = firstIdNow();
            if (tryTake(address, wait) != 0) return;
            Remove(wait);
            wait.Green.Wake(WakeCause.Released);
        }
    }

    /// <summary>Whoever holds the lock took it before the green thread of this <see cref="GreenThread.Id"/> was started: every release since then would have been noted.</summary>
    public long HeldBefore(nint address) => _queues.TryGetValue(address, out var queue) ? queue.HeldBefore : long.MaxValue;

    /// <summary>Any lock may have been released.</summary>
    public void GrantAll()
    {
        foreach (var address in _queues.Keys.ToArray()) Grant(address);
    }

    private sealed class Queue
    {
        private BlockingWait? _last;

        public BlockingWait? First { get; private set; }

        public long HeldBefore { get; set; }

        public void Append(BlockingWait wait)
        {
            wait.Previous = _last;
            wait.Next = null;
            if (_last is null) First = wait;
            else _last.Next = wait;
            _last = wait;
        }

        public void Unlink(BlockingWait wait)
        {
            if (wait.Previous is null) First = wait.Next;
            else wait.Previous.Next = wait.Next;
            if (wait.Next is null) _last = wait.Previous;
            else wait.Next.Previous = wait.Previous;
            wait.Next = wait.Previous = null;
        }
    }
}
