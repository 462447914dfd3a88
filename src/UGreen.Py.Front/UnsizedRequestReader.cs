using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace UGreen.Py.Front;

/// <summary>
/// Lets POST and PUT of HTTP/1.0 pass without a Content-Length: their body is empty (RFC 9112, section 6.3, rule 8), and nginx sends them so, unless it is told to speak HTTP/1.1.
/// Kestrel answers 400 to these two methods, by name, before anybody here is asked. So it gets another name: the first letter of the method becomes a small one, in the pipe,
/// where the request's line is whole and says HTTP/1.0, and <see cref="Begin"/> gives the exchange the method that was sent. Nothing is inserted and no header is read.
/// <para>
/// Invariant: a byte is changed only where a request begins. Where that is, is known without reading bodies: <see cref="Begin"/> says how long the body of a request is whose head
/// Kestrel has just taken, and what Kestrel takes is counted. After a body in chunks it is not known; then nothing is changed before the next head has been taken.
/// </para>
/// <para>
/// Connections that begin with a request of HTTP/1.1 have no such reader: nobody mixes the two, and they are nearly all. Threads: Kestrel's, one after the other.
/// </para>
/// </summary>
internal sealed class UnsizedRequestReader(IDuplexPipe transport) : PipeReader, IDuplexPipe
{
    /// <summary>Where in the stream Kestrel reads.</summary>
    private enum Place
    {
        /// <summary>In front of a request, or within its first line.</summary>
        Line,

        /// <summary>Behind that line, before <see cref="Begin"/>.</summary>
        Head,

        /// <summary>In a body of which <see cref="_bodyLeft"/> bytes are left.</summary>
        Body,

        /// <summary>In a body whose end is not known, or behind one.</summary>
        Chunks,
    }

    private readonly PipeReader _input = transport.Input;
    private ReadOnlySequence<byte> _given;
    private Place _place;
    private long _bodyLeft;
    private bool _isRenamed;

    public PipeReader Input => this;

    public PipeWriter Output => transport.Output;

    /// <summary>Whether a connection that begins with these bytes needs one.</summary>
    public static bool IsNeeded(in ReadOnlySequence<byte> bytes) => VersionOf(bytes) is null or { IsOld: true };

    /// <summary>Puts one in front of the connection's bytes.</summary>
    public static void Install(ConnectionContext connection)
    {
        var reader = new UnsizedRequestReader(connection.Transport);
        connection.Transport = reader;
        connection.Features.Set(reader);
    }

    /// <summary>The middleware of a socket with TLS: installs one unless HTTP/2 was agreed on.</summary>
    public static ConnectionDelegate Intercept(ConnectionDelegate next) => connection =>
    {
        if (!StreamShares.IsHttp2(connection)) Install(connection);
        return next(connection);
    };

    /// <summary>A request's head was taken.</summary>
    /// <param name="method">As Kestrel has it.</param>
    /// <param name="bodyBytes">What follows; null: nobody knows before it has come.</param>
    /// <returns>As the client sent it.</returns>
    public string Begin(string method, long? bodyBytes)
    {
        _place = bodyBytes switch { null => Place.Chunks, 0 => Place.Line, _ => Place.Body };
        _bodyLeft = bodyBytes ?? 0;
        if (!_isRenamed) return method;
        _isRenamed = false;
        return method.ToUpperInvariant();
    }

    public override bool TryRead(out ReadResult result)
    {
        if (!_input.TryRead(out result)) return false;
        Look(result);
        return true;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var read = _input.ReadAsync(cancellationToken);
        return read.IsCompletedSuccessfully ? new ValueTask<ReadResult>(Look(read.Result)) : AwaitAsync(read);
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_place == Place.Body)
        {
            _bodyLeft -= _given.Slice(_given.Start, consumed).Length;
            if (_bodyLeft <= 0) _place = Place.Line;
        }

        _given = default;
        _input.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => _input.CancelPendingRead();

    public override void Complete(Exception? exception = null) => _input.Complete(exception);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> AwaitAsync(ValueTask<ReadResult> read) => Look(await read.ConfigureAwait(false));

    private ReadResult Look(in ReadResult read)
    {
        _given = read.Buffer;
        // Kestrel takes a line when it is whole, so until then it is seen again from its first byte.
        if (_place != Place.Line || VersionOf(read.Buffer) is not { } found) return read;
        _place = Place.Head;
        if (found.IsOld) Rename(read.Buffer.Slice(found.Start));
        return read;
    }

    private void Rename(in ReadOnlySequence<byte> line)
    {
        Span<byte> method = stackalloc byte[5];
        line.Slice(0, Math.Min(line.Length, method.Length)).CopyTo(method);
        if (!method.StartsWith("POST "u8) && !method.StartsWith("PUT "u8)) return;
        foreach (var segment in line)
        {
            if (segment.IsEmpty) continue;
            MemoryMarshal.AsMemory(segment).Span[0] = (byte)'p';
            _isRenamed = true;
            return;
        }
    }

    /// <summary>Where the request's line begins behind empty ones, and whether it ends in HTTP/1.0; null: it is not whole.</summary>
    private static (SequencePosition Start, bool IsOld)? VersionOf(in ReadOnlySequence<byte> bytes)
    {
        var reader = new SequenceReader<byte>(bytes);
        reader.AdvancePastAny((byte)'\r', (byte)'\n');
        var start = reader.Position;
        if (!reader.TryReadTo(out ReadOnlySequence<byte> line, (byte)'\n')) return null;
        var ending = " HTTP/1.0\r"u8;
        if (line.Length < ending.Length) return (start, false);
        Span<byte> end = stackalloc byte[10];
        line.Slice(line.Length - ending.Length).CopyTo(end);
        return (start, end.SequenceEqual(ending));
    }
}
