using System.Text;
using Microsoft.Win32.SafeHandles;
using UGreen.Py.Native;

namespace UGreen.Py.Server.Master;

/// <summary>
/// Carries messages between a master and one worker, each whole and of at most <see cref="MostBytes"/>. What they mean is in <see cref="WorkerMessage"/> and <see cref="MasterMessage"/>.
/// The end of the channel says something, too: the other process is gone.
/// <para>The application that runs in a worker can write to its end whatever it likes, so who receives trusts nothing: adr/0036.</para>
/// <para>Invariant: sending never waits and never throws. What the other one has not made room for is kept, in its order, and what is kept already counts once.</para>
/// </summary>
internal sealed class ControlChannel : IDisposable
{
    /// <summary>Most bytes of a message: a long line of text. The longest that is meant is the reason why an application cannot be loaded.</summary>
    public const int MostBytes = 4096;

    // All 256 signals of the uwsgi module to one worker, or to each of a few, and what else there is to say.
    private const int MostKept = 1024;

    private const int FlushStack = 128 * 1024;

    private readonly SafeFileHandle _handle;
    private readonly Lock _sending = new();
    private readonly Queue<byte[]> _kept = [];
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private bool _isFlushing;

    /// <param name="fd">One end of a <see cref="SocketPair"/>; taken over.</param>
    public ControlChannel(int fd) => _handle = new SafeFileHandle(fd, ownsHandle: true);

    /// <summary>Any thread.</summary>
    /// <param name="message">At most <see cref="MostBytes"/>.</param>
    /// <returns>False: the other process is gone, does not listen any more, or has left too much unheard.</returns>
    public bool Send(byte[] message)
    {
        lock (_sending)
        {
            if (_kept.Count > 0) return Keep(message);
            return Write(message) switch
            {
                >= 0 => true,
                -Errno.EAGAIN => Keep(message),
                _ => false,
            };
        }
    }

    /// <summary>Waits for the next message. One thread.</summary>
    /// <param name="buffer">Gets it; larger than <see cref="MostBytes"/>, so that one that is too long is seen.</param>
    /// <returns>Its length; 0: the end. Of a message that is longer than the buffer the rest is gone.</returns>
    public int Receive(Span<byte> buffer)
    {
        while (true)
        {
            int count;
            using (var use = new Use(_handle)) count = StreamSocket.Receive(use.Fd, buffer);
            // A process that ended with something unheard is told by this error, once and before what it had said itself.
            if (count == -Errno.ECONNRESET) continue;
            if (count != -Errno.EAGAIN) return Math.Max(count, 0);
            if (!WaitFor(PollFd.In)) return 0;
        }
    }

    /// <summary>Nothing more is received, and who sends learns it: <see cref="Send"/> there returns false. Sending from here goes on.</summary>
    public void StopListening()
    {
        using var use = new Use(_handle);
        StreamSocket.ShutdownRead(use.Fd);
    }

    public void Dispose()
    {
        // A thread that waits in here wakes and gives the descriptor back; until then its number is no other file's.
        using (var use = new Use(_handle))
        {
            StreamSocket.ShutdownRead(use.Fd);
            StreamSocket.ShutdownWrite(use.Fd);
        }

        _handle.Dispose();
    }

    private static string Key(byte[] message) => Encoding.Latin1.GetString(message);

    private bool Keep(byte[] message)
    {
        if (_known.Contains(Key(message))) return true;
        if (_kept.Count >= MostKept) return false;
        _kept.Enqueue(message);
        _known.Add(Key(message));
        if (_isFlushing) return true;
        _isFlushing = true;
        // Seldom enough for a thread to be made each time.
        new Thread(Flush, FlushStack) { IsBackground = true, Name = "channel" }.Start();
        return true;
    }

    private void Flush()
    {
        while (true)
        {
            var isOpen = WaitFor(PollFd.Out);
            lock (_sending)
            {
                while (isOpen && _kept.TryPeek(out var next))
                {
                    var sent = Write(next);
                    if (sent == -Errno.EAGAIN) break;
                    if (sent < 0) isOpen = false;
                    else _known.Remove(Key(_kept.Dequeue()));
                }

                if (isOpen && _kept.Count > 0) continue;
                // What is left nobody will hear.
                _kept.Clear();
                _known.Clear();
                _isFlushing = false;
                return;
            }
        }
    }

    private int Write(byte[] message)
    {
        using var use = new Use(_handle);
        return StreamSocket.Send(use.Fd, message);
    }

    /// <returns>False: it is closed.</returns>
    private bool WaitFor(short events)
    {
        using var use = new Use(_handle);
        if (use.Fd < 0) return false;
        try
        {
            _ = FdWait.Poll(use.Fd, events, -1);
            return true;
        }
        catch (LinuxException)
        {
            // No memory.
            return false;
        }
    }

    /// <summary>The descriptor stays open for as long as this; its number is -1, of which each call says EBADF, when it was closed before.</summary>
    private readonly ref struct Use
    {
        private readonly SafeFileHandle? _held;

        public Use(SafeFileHandle handle)
        {
            var isHeld = false;
            try
            {
                handle.DangerousAddRef(ref isHeld);
            }
            catch (ObjectDisposedException)
            {
            }

            _held = isHeld ? handle : null;
            Fd = isHeld ? (int)handle.DangerousGetHandle() : -1;
        }

        public int Fd { get; }

        public void Dispose() => _held?.DangerousRelease();
    }
}
