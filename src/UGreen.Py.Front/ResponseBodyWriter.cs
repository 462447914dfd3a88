using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.Features;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front;

/// <summary>
/// The body writer that the application side sees: Kestrel's, without two of its edges. A response that must not have a body (HEAD, 204, 304) takes bytes and
/// drops them, where Kestrel throws. And after the client has gone memory of at least one byte is given, where Kestrel gives an empty span, at which every
/// copy loop fails; the flush that follows says that the reader has gone.
/// <para>One object per connection. Thread: whoever owns the exchange.</para>
/// </summary>
internal sealed class ResponseBodyWriter : PipeWriter
{
    private const int ScrapBytes = 4096;

    private readonly IHttpResponseBodyFeature _response;
    private readonly IHttpRequestLifetimeFeature _lifetime;
    private readonly Func<RequestShare?> _share;
    private byte[] _scrap = [];

    private readonly Pause _pause;

    public ResponseBodyWriter(IHttpResponseBodyFeature response, IHttpRequestLifetimeFeature lifetime, Pause pause, Func<RequestShare?> share)
    {
        _share = share;
        _lifetime = lifetime;
        _response = response;
        _pause = pause;
    }

    /// <summary>Drop the bytes. A flush still goes to Kestrel, because the head may be waiting for it.</summary>
    public bool Suppressed { get; set; }

    public override void Advance(int bytes)
    {
        if (!Suppressed) _response.Writer.Advance(bytes);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (!Suppressed) return _response.Writer.GetMemory(Math.Max(sizeHint, 1));
        if (_scrap.Length < Math.Max(sizeHint, 1)) _scrap = new byte[Math.Max(sizeHint, ScrapBytes)];
        return _scrap;
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
        => Suppressed ? GetMemory(sizeHint).Span : _response.Writer.GetSpan(Math.Max(sizeHint, 1));

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            var flush = _response.Writer.FlushAsync(cancellationToken);
            if (flush.IsCompleted) return flush;
            var share = _share();
            return _pause.IsOff && share is null ? flush : AwaitAsync(flush, share);
        }
        catch (InvalidOperationException e) when (_lifetime.RequestAborted.IsCancellationRequested)
        {
            // Kestrel's word for a response that is over. Of one that was not broken off, it is a mistake of ours.
            throw new IOException("the request was broken off", e);
        }
    }

    public override void CancelPendingFlush() => _response.Writer.CancelPendingFlush();

    /// <summary>The request has ended.</summary>
    public void End()
    {
        Suppressed = false;
        _pause.Reset();
    }

    /// <summary>Does nothing: the response ends with the exchange, so that the outcome decides how.</summary>
    public override void Complete(Exception? exception = null)
    {
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> AwaitAsync(ValueTask<FlushResult> flush, RequestShare? share)
    {
        if (!_pause.IsOff) _pause.Begin();
        share?.Block();
        try
        {
            return await flush.ConfigureAwait(false);
        }
        finally
        {
            if (!_pause.IsOff) _pause.End();
            share?.Unblock();
        }
    }
}
