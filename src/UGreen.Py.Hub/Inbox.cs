using System.Collections.Concurrent;

namespace UGreen.Py.Hub;

/// <summary>
/// The only door into the hub for other threads.
/// <para>
/// Invariant: a message posted before the hub decides to sleep is seen before it sleeps, or wakes it. The poster enqueues, then looks at the flag; the hub sets the
/// flag, then looks at the queue. Both steps are full barriers, so at least one of the two sees the other's write.
/// </para>
/// <para>A busy hub costs its posters no system call: it looks here on every pass anyway, and the flag is down.</para>
/// </summary>
public sealed class Inbox(Action wake)
{
    private readonly ConcurrentQueue<Message> _queue = new();
    private int _sleeping;

    private readonly record struct Message(IInboxReceiver Receiver, object? Payload, long Token);

    /// <summary>True when nothing waits.</summary>
    public bool IsEmpty => _queue.IsEmpty;

    /// <summary>Any thread.</summary>
    public void Post(IInboxReceiver receiver, object? payload, long token)
    {
        _queue.Enqueue(new Message(receiver, payload, token));

        // The exchange is the barrier of the invariant, and sees to it that of many posters only one pays for the wake-up.
        if (Interlocked.Exchange(ref _sleeping, 0) == 1) wake();
    }

    /// <summary>Hub thread: about to sleep. False when there is something to do instead.</summary>
    public bool TryPrepareSleep()
    {
        Interlocked.Exchange(ref _sleeping, 1);
        if (_queue.IsEmpty) return true;
        Volatile.Write(ref _sleeping, 0);
        return false;
    }

    /// <summary>Hub thread: awake again.</summary>
    public void EndSleep() => Volatile.Write(ref _sleeping, 0);

    /// <summary>Hub thread: delivers what is there now; what is posted meanwhile waits for the next call, so that a flood cannot hold up the green threads.</summary>
    public void Deliver()
    {
        for (var n = _queue.Count; n > 0 && _queue.TryDequeue(out var message); n--) message.Receiver.Receive(message.Payload, message.Token);
    }
}
