using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using UGreen.Py.Front.Transport;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front;

/// <summary>
/// The request body of HTTP: Kestrel's reader with a limit for how much comes and for how long nothing comes. What the client does wrong is an <see cref="IOException"/> in
/// plain words, and a status for <see cref="FaultStatus"/>; after one nothing more is read.
/// <para>One object per connection or HTTP/2 stream. Thread: whoever owns the exchange.</para>
/// </summary>
internal sealed class RequestBodyReader : PipeReader
{
    private readonly Pause _pause;
    private readonly IClientSocket? _socket;
    private readonly IHttpRequestLifetimeFeature _lifetime;
    private readonly long _limit;
    private PipeReader _kestrel = null!;
    private ReadOnlySequence<byte> _given;
    private long _taken;
    private string? _fault;

    /// <param name="watch">Null: a client may be silent for ever.</param>
    /// <param name="limit">Longest body in bytes.</param>
    /// <param name="socket">The connection's, to see whether it has ended.</param>
    /// <param name="lifetime">The request's.</param>
    public RequestBodyReader(PauseWatch? watch, long? limit, IClientSocket? socket, IHttpRequestLifetimeFeature lifetime)
    {
        _lifetime = lifetime;
        _pause = new Pause(watch, CancelPendingRead);
        _limit = limit ?? long.MaxValue;
        _socket = socket;
    }

    /// <summary>See <see cref="Gateway.GatewayExchange.FaultStatus"/>.</summary>
    public int FaultStatus { get; private set; }

    public void Begin(PipeReader kestrel) => _kestrel = kestrel;

    /// <summary>The request has ended.</summary>
    public void End()
    {
        _pause.Reset();
        _kestrel = null!;
        _given = default;
        _taken = 0;
        _fault = null;
        FaultStatus = 0;
    }

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (_fault is not null) throw new IOException(_fault);
        ValueTask<ReadResult> read;
        try
        {
            read = _kestrel.ReadAsync(cancellationToken);
        }
        catch (Exception e) when (IsClients(e))
        {
            throw Fault(e);
        }

        if (read.IsCompletedSuccessfully) return _limit == long.MaxValue ? read : new ValueTask<ReadResult>(Count(read.Result));
        if (!read.IsCompleted && !_pause.IsOff) _pause.Begin();
        return AwaitAsync(read);
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        if (_fault is not null) throw new IOException(_fault);
        try
        {
            if (!_kestrel.TryRead(out result)) return false;
        }
        catch (Exception e) when (IsClients(e))
        {
            throw Fault(e);
        }

        result = Count(result);
        return true;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_fault is not null) return;
        if (_limit != long.MaxValue)
        {
            _taken += _given.Slice(_given.Start, consumed).Length;
            _given = default;
        }

        try
        {
            _kestrel.AdvanceTo(consumed, examined);
        }
        catch (Exception e) when (IsClients(e))
        {
            throw Fault(e);
        }
    }

    /// <inheritdoc/>
    public override void CancelPendingRead() => _kestrel.CancelPendingRead();

    /// <summary>Does nothing: the body is Kestrel's, which still has to find its end.</summary>
    public override void Complete(Exception? exception = null)
    {
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> AwaitAsync(ValueTask<ReadResult> read)
    {
        ReadResult result;
        try
        {
            result = await read.ConfigureAwait(false);
        }
        catch (Exception e) when (IsClients(e))
        {
            _ = !_pause.IsOff && _pause.End();
            throw Fault(e);
        }

        if (_pause.IsOff || !_pause.End()) return _limit == long.MaxValue ? result : Count(result);
        _kestrel.AdvanceTo(result.Buffer.Start);
        throw Fault(StatusCodes.Status408RequestTimeout, string.Create(CultureInfo.InvariantCulture, $"timeout: the client sent nothing for {_pause.Seconds:0.###} s"));
    }

    private ReadResult Count(ReadResult read)
    {
        if (_taken + read.Buffer.Length > _limit)
        {
            _kestrel.AdvanceTo(read.Buffer.Start);
            throw Fault(StatusCodes.Status413PayloadTooLarge, string.Create(CultureInfo.InvariantCulture, $"the body has more than the {_limit} bytes of --limit-post"));
        }

        _given = read.Buffer;
        return read;
    }

    /// <summary>Of a request that was broken off Kestrel may say that its body is complete or closed. Of one that was not, that is a mistake of ours.</summary>
    private bool IsClients(Exception e) => ClientFault.Is(e) || (e is InvalidOperationException && _lifetime.RequestAborted.IsCancellationRequested);

    /// <summary>
    /// Kestrel tells a body that is malformed from one that the client has left by its text only. The socket knows: an ended one can be read, and gives nothing.
    /// </summary>
    private IOException Fault(Exception e)
    {
        // A chunk size beyond 31 bits is the one mistake that Kestrel tells by another exception.
        var status = e is BadHttpRequestException bad ? bad.StatusCode : e.InnerException is OverflowException ? StatusCodes.Status400BadRequest : HttpStatus.ClientLeft;
        if (status == HttpStatus.ClientLeft || _socket is { HasEnded: true }) return Fault(HttpStatus.ClientLeft, "the client closed the connection before the end of the body", e);
        return Fault(status, BadRequestLogger.Plain(e.Message), e);
    }

    private IOException Fault(int status, string reason, Exception? cause = null)
    {
        FaultStatus = status;
        _fault = reason;
        return new IOException(reason, cause);
    }
}
