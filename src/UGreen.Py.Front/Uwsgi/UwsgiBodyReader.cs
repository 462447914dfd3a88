using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

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
    }

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (Remaining == 0) return new ValueTask<ReadResult>(Nothing);
        IsReading = true;
        var read = Transport.ReadAsync(cancellationToken);
        return read.IsCompletedSuccessfully ? new ValueTask<ReadResult>(Limit(read.Result)) : AwaitAsync(read);
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        result = Nothing;
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
        catch
        {
            IsReading = false;
            throw;
        }

        return Limit(result);
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
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"the connection ended {missing} bytes before the end of the request body"));
        }

        _given = buffer;
        // The front cancels its own wait for the head when the server stops; if that comes a moment late it must not look like a failed body.
        var cancelled = read.IsCanceled && Interlocked.Exchange(ref _cancelled, false);
        return new ReadResult(buffer, cancelled, _givenIsRest);
    }
}
