using System.IO.Pipelines;

namespace UGreen.Py.Front.Transport;

/// <summary>
/// When bytes that were flushed are sent: not within the flush, but right behind the code that flushed. What that code writes in several pieces leaves in one system call, and
/// when it has ended the connection by then, the end leaves in the same packet.
/// </summary>
internal sealed class SendScheduler(IoThread io) : PipeScheduler
{
    public override void Schedule(Action<object?> action, object? state)
    {
        if (io.IsCurrent) io.After(action, state);
        else io.Post(action, state);
    }
}
