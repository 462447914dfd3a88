using System.Globalization;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace UGreen.Py.Front.Uwsgi;

/// <summary>
/// The response body on its way into the transport's pipe, whose flush waits while the client is slow. Bytes of a response that has no body (HEAD, 204, 304) are
/// taken and dropped; more bytes than a declared Content-Length are refused before they are sent.
/// </summary>
internal sealed class UwsgiOutput(Pause pause) : PipeWriter
{
    private const int ScrapBytes = 4096;

    private PipeWriter? _transport;
    private long _room = long.MaxValue;
    private bool _isWatched;
    private byte[] _scrap = [];

    /// <summary>The response has no body; what is written is dropped.</summary>
    public bool IsSuppressed { get; private set; }

    /// <summary>Bytes that a declared length still promises; 0 without one.</summary>
    public long Missing => _room == long.MaxValue || IsSuppressed ? 0 : _room;

    /// <param name="transport">The connection's.</param>
    /// <param name="length">The declared length.</param>
    /// <param name="suppressed">See <see cref="IsSuppressed"/>.</param>
    /// <param name="watched">False: somebody else sees to it that a flush does not take for ever.</param>
    public void Begin(PipeWriter transport, long? length, bool suppressed, bool watched)
    {
        _isWatched = watched && !pause.IsOff;
        _transport = transport;
        _room = length ?? long.MaxValue;
        IsSuppressed = suppressed;
    }

    /// <summary>Forgets the connection.</summary>
    public void End()
    {
        _transport = null;
        _room = long.MaxValue;
        IsSuppressed = false;
        pause.Reset();
    }

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => Transport.CanGetUnflushedBytes;

    /// <inheritdoc/>
    public override long UnflushedBytes => Transport.UnflushedBytes;

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        if (IsSuppressed) return;
        if (bytes > _room) throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes written where the Content-Length leaves {_room}"));
        Transport.Advance(bytes);
        if (_room != long.MaxValue) _room -= bytes;
    }

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (!IsSuppressed) return Transport.GetMemory(sizeHint);
        if (_scrap.Length < Math.Max(sizeHint, 1)) _scrap = new byte[Math.Max(sizeHint, ScrapBytes)];
        return _scrap;
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => IsSuppressed ? GetMemory(sizeHint).Span : Transport.GetSpan(sizeHint);

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        var flush = Transport.FlushAsync(cancellationToken);
        return flush.IsCompleted || !_isWatched ? flush : AwaitAsync(flush);
    }

    /// <inheritdoc/>
    public override void CancelPendingFlush() => Transport.CancelPendingFlush();

    /// <summary>Does nothing: the response ends with the exchange, so that the outcome decides how.</summary>
    public override void Complete(Exception? exception = null)
    {
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> AwaitAsync(ValueTask<FlushResult> flush)
    {
        pause.Begin();
        try
        {
            return await flush.ConfigureAwait(false);
        }
        finally
        {
            pause.End();
        }
    }

    private PipeWriter Transport => _transport ?? throw new InvalidOperationException("the response has not started, or has ended");
}
