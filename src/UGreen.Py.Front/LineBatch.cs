using System.Globalization;
using System.Text;

namespace UGreen.Py.Front;

/// <summary>
/// Collects log lines and writes them in batches on a pool thread: one write per line when there is little to do, one for many when there is much.
/// <para>
/// Invariant: the buffer being filled is only touched under _lock, the one being written only under _streamLock; Take, which holds both, swaps them. So lines
/// reach the stream whole and in the order of <see cref="Add"/>, and nobody who adds a line waits for a write.
/// </para>
/// </summary>
public sealed class LineBatch : IThreadPoolWorkItem
{
    /// <summary>When the reader of the log is slower than the server, lines are lost rather than memory or time: 1 MiB is some 10,000 lines.</summary>
    public const int MaxPendingBytes = 1 << 20;

    private readonly Lock _lock = new();
    private readonly Lock _streamLock = new();
    private readonly Stream _stream;
    private readonly Func<string, string> _note;
    private byte[] _filling = new byte[16 * 1024];
    private byte[] _writing = new byte[16 * 1024];
    private int _filled;
    private long _dropped;
    private bool _scheduled;

    /// <param name="stream">Takes whole batches; not disposed here.</param>
    /// <param name="note">Makes a line, with its line break, of a message of our own; null: the message alone.</param>
    public LineBatch(Stream stream, Func<string, string>? note = null)
    {
        _stream = stream;
        _note = note ?? (static message => message + "\n");
    }

    /// <summary>Adds one line, line break included. Any thread; never waits for the stream.</summary>
    public void Add(ReadOnlySpan<byte> line)
    {
        lock (_lock)
        {
            if (_filled + line.Length > MaxPendingBytes)
            {
                _dropped++;
                return;
            }

            if (_filled + line.Length > _filling.Length) Array.Resize(ref _filling, Math.Max(_filling.Length * 2, _filled + line.Length));
            line.CopyTo(_filling.AsSpan(_filled));
            _filled += line.Length;
            if (_scheduled) return;
            _scheduled = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Writes what is pending before it returns; for the end of the process.</summary>
    public void Flush()
    {
        // Waits for a batch that the pool is writing; what came after it is written here.
        lock (_streamLock)
        {
            while (Take() is { Length: > 0 } batch) Write(batch.Span);
        }
    }

    void IThreadPoolWorkItem.Execute() => Flush();

    /// <summary>Swaps the buffers. Must be called with _streamLock.</summary>
    private ReadOnlyMemory<byte> Take()
    {
        lock (_lock)
        {
            if (_dropped > 0)
            {
                var note = Encoding.UTF8.GetBytes(_note(string.Create(CultureInfo.InvariantCulture, $"({_dropped} request lines lost: the log is read too slowly)")));
                _dropped = 0;
                Array.Resize(ref _filling, _filled + note.Length);
                note.CopyTo(_filling.AsSpan(_filled));
                _filled += note.Length;
            }

            (_filling, _writing) = (_writing, _filling);
            var batch = _writing.AsMemory(0, _filled);
            _filled = 0;
            _scheduled = !batch.IsEmpty;
            return batch;
        }
    }

    private void Write(ReadOnlySpan<byte> batch)
    {
        try
        {
            _stream.Write(batch);
            _stream.Flush();
        }
        catch (IOException)
        {
            // The reader of the log is gone. Requests matter more; there is nowhere to say it.
        }
    }
}
