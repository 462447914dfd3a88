using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;

namespace UGreen.Py.Front.Uwsgi;

/// <summary>
/// The request body: the next CONTENT_LENGTH bytes of the connection, and not one more.
/// <para>
/// Invariant: <see cref="Remaining"/> bytes of the body were not consumed yet, and the transport's reader stands at the first of them. A body that ends early is
/// an <see cref="IOException"/>, never a short body that looks complete; what had come of it and was not read yet is dropped.
/// </para>
/// </summary>
internal sealed class UwsgiBodyReader : PipeReader
{
    private PipeReader? _transport;
    private ReadOnlySequence<byte> _given;
    private bool _givenIsRest;
    private bool _cancelled;
    private readonly Pause _pause;
    private string? _fault;

    /// <param name="watch">Null: the client may be silent for ever.</param>
    public UwsgiBodyReader(PauseWatch? watch) => _pause = new Pause(watch, () => Transport.CancelPendingRead());

    /// <summary>See <see cref="Gateway.GatewayExchange.FaultStatus"/>.</summary>
    public int FaultStatus { get; private set; }

    /// <summary>Body bytes that were not consumed.</summary>
    public long Remaining { get; private set; }

    /// <summary>Somebody began a read and did not end it.</summary>
    public bool IsReading { get; private set; }

    public void Begin(PipeReader transport, long length)
    {
        _transport = transport;
        Remaining = length;
        IsReading = false;
        _cancelled = false;
    }

    /// <summary>Forgets the connection.</summary>
    public void End()
    {
        _transport = null;
        _given = default;
        Remaining = 0;
        _fault = null;
        FaultStatus = 0;
        _pause.Reset();
    }

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (_fault is not null) throw new IOException(_fault);
        if (Remaining == 0) return new ValueTask<ReadResult>(Nothing);
        IsReading = true;
        var read = Transport.ReadAsync(cancellationToken);
        if (!read.IsCompleted && !_pause.IsOff) _pause.Begin();
        return read.IsCompletedSuccessfully ? new ValueTask<ReadResult>(Limit(read.Result)) : AwaitAsync(read);
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        result = Nothing;
        if (_fault is not null) throw new IOException(_fault);
        if (Remaining == 0) return true;
        if (!Transport.TryRead(out var read)) return false;
        IsReading = true;
        result = Limit(read);
        return true;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (!IsReading) return;
        IsReading = false;
        Remaining -= _given.Slice(_given.Start, consumed).Length;
        _given = default;
        // With the rest of the body there, the transport must not wait for a byte behind it, even if the reader asks for all of it again.
        Transport.AdvanceTo(consumed, _givenIsRest ? consumed : examined);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead()
    {
        Volatile.Write(ref _cancelled, true);
        Transport.CancelPendingRead();
    }

    /// <summary>Does nothing: the connection is the front's.</summary>
    public override void Complete(Exception? exception = null)
    {
    }

    private static ReadResult Nothing => new(default, isCanceled: false, isCompleted: true);

    private PipeReader Transport => _transport ?? throw new InvalidOperationException("the request has ended");

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> AwaitAsync(ValueTask<ReadResult> read)
    {
        ReadResult result;
        try
        {
            result = await read.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _ = !_pause.IsOff && _pause.End();
            IsReading = false;
            if (e is IOException or OperationCanceledException) FaultStatus = HttpStatus.ClientLeft;
            throw;
        }

        if (_pause.IsOff || !_pause.End()) return Limit(result);
        IsReading = false;
        Transport.AdvanceTo(result.Buffer.Start);
        throw Fault(StatusCodes.Status408RequestTimeout, string.Create(CultureInfo.InvariantCulture, $"timeout: the client sent nothing for {_pause.Seconds:0.###} s"));
    }

    private ReadResult Limit(ReadResult read)
    {
        var buffer = read.Buffer;
        _givenIsRest = buffer.Length >= Remaining;
        if (_givenIsRest) buffer = buffer.Slice(0, Remaining);
        else if (read.IsCompleted)
        {
            var missing = Remaining - buffer.Length;
            IsReading = false;
            Transport.AdvanceTo(buffer.End);
            throw Fault(HttpStatus.ClientLeft, string.Create(CultureInfo.InvariantCulture, $"the connection ended {missing} bytes before the end of the request body"));
        }

        _given = buffer;
        // The front cancels its own wait for the head when the server stops; if that comes a moment late it must not look like a failed body.
        var cancelled = read.IsCanceled && Interlocked.Exchange(ref _cancelled, false);
        return new ReadResult(buffer, cancelled, _givenIsRest);
    }

    private IOException Fault(int status, string reason)
    {
        FaultStatus = status;
        _fault = reason;
        return new IOException(reason);
    }
}
