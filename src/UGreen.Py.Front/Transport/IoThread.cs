using System.Collections.Concurrent;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using UGreen.Py.Native;

namespace UGreen.Py.Front.Transport;

/// <summary>
/// One thread that serves many connections: it waits in epoll, reads, runs what Kestrel does with the bytes, and writes.
/// <para>
/// Invariant: every system call on a connection's descriptor is made here. A descriptor that was closed and given to another connection can therefore not be met by a read,
/// a write or an event of the old one, and a connection needs no lock.
/// </para>
/// <para>
/// As a <see cref="PipeScheduler"/> it runs what is scheduled at once when it is asked on its own thread, otherwise in its next pass. What runs here must not block.
/// </para>
/// </summary>
internal sealed class IoThread : PipeScheduler, IDisposable
{
    private const int EventsPerWait = 256;
    private const ulong WakeUpData = ulong.MaxValue; // no slot has this number

    // A flood of work must not hold up the sockets: what is queued beyond this waits for the next pass.
    private const int WorkPerPass = 1024;

    // Some 300 microseconds of work: enough that waking somebody for it costs little beside it.
    private const int ServedPerBatch = 16;

    private readonly Epoll _epoll = new();
    private readonly EventFd _wakeUp = new();
    private readonly ConcurrentQueue<Work> _work = new();
    private readonly Queue<Work> _after = new();
    private readonly EpollEvent[] _events = new EpollEvent[EventsPerWait];
    private readonly Stack<int> _freeSlots = new();
    private readonly Thread _thread;
    private readonly int _threadId;
    private IPolled?[] _slots = new IPolled?[64];
    private uint[] _generations = new uint[64];
    private int _usedSlots;
    private int _isAsleep;
    private uint _served;
    private volatile bool _isStopping;

    private readonly record struct Work(Action<object?> Action, object? State);

    /// <param name="number">From 0; for the thread's name.</param>
    /// <param name="logger">For faults of what runs here.</param>
    public IoThread(int number, ILogger logger)
    {
        Faults = new FaultLog(logger, TimeProvider.System);
        var error = _epoll.Add(_wakeUp.Fd, EpollEvents.In | EpollEvents.EdgeTriggered, WakeUpData);
        if (error != 0) throw new LinuxException("epoll_ctl(eventfd)", error);
        _thread = new Thread(Run) { Name = $"ugreen io {number}", IsBackground = true };
        _threadId = _thread.ManagedThreadId;
        _thread.Start();
    }

    /// <summary>True on this thread.</summary>
    public bool IsCurrent => Environment.CurrentManagedThreadId == _threadId;

    /// <summary>Where what fails here is told.</summary>
    public FaultLog Faults { get; }

    /// <summary>Runs it here: at once when asked on this thread, in its next pass otherwise. Any thread.</summary>
    public override void Schedule(Action<object?> action, object? state)
    {
        if (IsCurrent) action(state);
        else Post(action, state);
    }

    /// <summary>This thread: runs it as soon as the event or the work that is being served now is done, before any other.</summary>
    public void After(Action<object?> action, object? state) => _after.Enqueue(new Work(action, state));

    /// <summary>Runs it in the next pass, also when asked on this thread. Any thread.</summary>
    public void Post(Action<object?> action, object? state)
    {
        _work.Enqueue(new Work(action, state));
        // The exchange is a full barrier: either the thread sees the work before it sleeps, or we see that it sleeps. Of many posters one pays for the wake-up.
        if (Interlocked.Exchange(ref _isAsleep, 0) == 1) _wakeUp.Signal();
    }

    /// <summary>This thread: watches a descriptor, edge by edge, until it is forgotten.</summary>
    /// <returns>Its slot, to forget it by, and 0; or the errno.</returns>
    public (int Slot, int Error) Watch(int fd, uint events, IPolled watcher)
    {
        var slot = TakeSlot(watcher);
        var error = _epoll.Add(fd, events | EpollEvents.EdgeTriggered, Data(slot));
        if (error != 0) Free(slot);
        return (slot, error);
    }

    /// <summary>This thread: watches for other events from now on. The kernel looks at once, so an edge that was there already is not missed.</summary>
    public void Change(int slot, int fd, uint events) => _ = _epoll.Modify(fd, events | EpollEvents.EdgeTriggered, Data(slot));

    /// <summary>This thread: events of that slot that are still on their way reach nobody. For a descriptor that is about to be closed, which ends the kernel's watch.</summary>
    public void Forget(int slot) => Free(slot);

    /// <summary>This thread: as <see cref="Forget(int)"/>, for a descriptor that others keep open.</summary>
    public void Forget(int slot, int fd)
    {
        _ = _epoll.Delete(fd);
        Free(slot);
    }

    /// <summary>Ends the thread after its present pass; what is queued then is run.</summary>
    public void Dispose()
    {
        Post(static self => ((IoThread)self!)._isStopping = true, this);
        if (!IsCurrent) _thread.Join();
    }

    private void Run()
    {
        while (!_isStopping)
        {
            var count = _epoll.Wait(_events, MaySleep() ? -1 : 0);
            Volatile.Write(ref _isAsleep, 0);
            SignalBatch.Open();
            for (var i = 0; i < count; i++)
            {
                Dispatch(_events[i]);
                LetGo();
            }

            RunWork();
            SignalBatch.Close();
        }

        // Whoever waits for one of these must not wait for ever.
        while (_work.TryDequeue(out var work)) Run(work);
        _wakeUp.Dispose();
        _epoll.Dispose();
    }

    /// <summary>True: from now on posters wake this thread.</summary>
    private bool MaySleep()
    {
        if (!_work.IsEmpty) return false;
        Interlocked.Exchange(ref _isAsleep, 1);
        return _work.IsEmpty;
    }

    private void RunWork()
    {
        for (var n = Math.Min(_work.Count, WorkPerPass); n > 0 && _work.TryDequeue(out var work); n--)
        {
            Run(work);
            LetGo();
        }
    }

    /// <summary>In a long pass the hub, if it sleeps, gets its work in parts and not only at the end.</summary>
    private void LetGo()
    {
        if (++_served % ServedPerBatch != 0) return;
        SignalBatch.Close();
        SignalBatch.Open();
    }

    private void Dispatch(in EpollEvent e)
    {
        if (e.Data == WakeUpData) return;
        var slot = (int)(uint)e.Data;
        if (slot < _usedSlots && _generations[slot] == (uint)(e.Data >> 32) && _slots[slot] is { } watcher) Serve(watcher, e.Events, default);
    }

    private void Run(Work work) => Serve(null, 0, work);

    /// <summary>An event for its watcher, or else the work; then what that has put off.</summary>
    private void Serve(IPolled? watcher, uint events, Work work)
    {
        do
        {
            try
            {
                if (watcher is not null) watcher.OnEvents(events);
                else work.Action(work.State);
            }
#pragma warning disable CA1031 // other connections live on this thread; a fault of one must not be theirs
            catch (Exception error)
#pragma warning restore CA1031
            {
                Fail(watcher ?? work.State as IPolled, error);
            }

            watcher = null;
        }
        while (_after.TryDequeue(out work));
    }

    /// <summary>Whoever failed must not be left as it is: its client would wait for an answer that nobody is going to give.</summary>
    private void Fail(IPolled? who, Exception error)
    {
        Faults.Tell(error);
        try
        {
            who?.OnFault(error);
        }
#pragma warning disable CA1031 // as above
        catch (Exception second)
#pragma warning restore CA1031
        {
            Faults.Tell(second);
        }
    }

    private int TakeSlot(IPolled watcher)
    {
        if (!_freeSlots.TryPop(out var slot)) slot = _usedSlots++;
        if (slot == _slots.Length)
        {
            Array.Resize(ref _slots, slot * 2);
            Array.Resize(ref _generations, slot * 2);
        }

        _slots[slot] = watcher;
        return slot;
    }

    private void Free(int slot)
    {
        _slots[slot] = null;
        _generations[slot]++;
        _freeSlots.Push(slot);
    }

    private ulong Data(int slot) => ((ulong)_generations[slot] << 32) | (uint)slot;
}
