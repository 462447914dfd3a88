using System.Buffers.Binary;

namespace UGreen.Py.Server.Master;

/// <summary>
/// What a worker says to its master. On the wire it is a byte for its kind, fields of a fixed size, and at the end the text, if the kind has one:
/// <code>
/// Ready, Failed, Reload, SourceChanged, Stop   kind | text
/// Leaving, RequestsServed                      kind
/// Signal                                       kind | number: 1 byte | worker: 2 bytes, the low one first
/// Overflowed                                   "ugreen-py: " | text
/// </code>
/// </summary>
internal abstract record WorkerMessage
{
    private const byte ReadyKind = 1;
    private const byte FailedKind = 2;
    private const byte LeavingKind = 3;
    private const byte RequestsServedKind = 4;
    private const byte ReloadKind = 5;
    private const byte SourceChangedKind = 6;
    private const byte StopKind = 7;
    private const byte SignalKind = 8;
    private const int SignalBytes = 4;

    private WorkerMessage()
    {
    }

    /// <summary>How the line about a stack that overflowed begins. It is written by machine code, which has no other bytes than those for standard error.</summary>
    public static ReadOnlySpan<byte> OverflowMark => "ugreen-py: "u8;

    /// <summary>Requests are served.</summary>
    /// <param name="Python">Its version, for the operator.</param>
    public sealed record Ready(string Python) : WorkerMessage;

    /// <summary>It cannot start.</summary>
    /// <param name="Why">One line, for the operator.</param>
    public sealed record Failed(string Why) : WorkerMessage;

    /// <summary>Somebody sent it a SIGTERM: it drains by itself.</summary>
    public sealed record Leaving : WorkerMessage;

    /// <summary>It has served as many requests as it may, and wants to be replaced.</summary>
    public sealed record RequestsServed : WorkerMessage;

    /// <summary>All workers are to be replaced.</summary>
    /// <param name="Reason">For the log.</param>
    public sealed record Reload(string Reason) : WorkerMessage;

    /// <summary>So are they for this: a source file has changed since it was loaded. Each worker sees that for itself.</summary>
    /// <param name="File">Its path.</param>
    public sealed record SourceChanged(string File) : WorkerMessage;

    /// <summary>The server is to stop.</summary>
    /// <param name="Reason">For the log.</param>
    public sealed record Stop(string Reason) : WorkerMessage;

    /// <summary>A signal of the uwsgi module for other workers.</summary>
    /// <param name="Number">Which.</param>
    /// <param name="Worker">Number of the worker that it is for; 0: all others.</param>
    public sealed record Signal(byte Number, ushort Worker) : WorkerMessage;

    /// <summary>A stack has overflowed, and the process is about to die.</summary>
    /// <param name="Line">Which, and what to do about it.</param>
    public sealed record Overflowed(string Line) : WorkerMessage;

    /// <summary>As bytes. Texts are cut where they are too long.</summary>
    public byte[] Write() => this switch
    {
        Ready ready => MessageText.Compose([ReadyKind], ready.Python),
        Failed failed => MessageText.Compose([FailedKind], failed.Why),
        Leaving => [LeavingKind],
        RequestsServed => [RequestsServedKind],
        Reload reload => MessageText.Compose([ReloadKind], reload.Reason),
        SourceChanged changed => MessageText.Compose([SourceChangedKind], changed.File),
        Stop stop => MessageText.Compose([StopKind], stop.Reason),
        Signal signal => [SignalKind, signal.Number, (byte)signal.Worker, (byte)(signal.Worker >> 8)],
        Overflowed overflowed => MessageText.Compose(OverflowMark, overflowed.Line),
        _ => throw new InvalidOperationException($"{GetType().Name} has no bytes"),
    };

    /// <summary>The message in these bytes, whatever they are.</summary>
    /// <param name="bytes">As received.</param>
    /// <param name="error">What is wrong with them, to stand behind "a message"; null: nothing.</param>
    /// <returns>Null: they are no message.</returns>
    public static WorkerMessage? Read(ReadOnlySpan<byte> bytes, out string? error)
    {
        error = null;
        if (bytes.Length is 0 or > ControlChannel.MostBytes) return Refuse(bytes.Length == 0 ? "without a byte" : $"of more than {ControlChannel.MostBytes} bytes", out error);
        return bytes[0] switch
        {
            ReadyKind => Text(bytes[1..], static text => new Ready(text), out error),
            FailedKind => Text(bytes[1..], static text => new Failed(text), out error),
            LeavingKind when bytes.Length == 1 => new Leaving(),
            RequestsServedKind when bytes.Length == 1 => new RequestsServed(),
            ReloadKind => Text(bytes[1..], static text => new Reload(text), out error),
            SourceChangedKind => Text(bytes[1..], static text => new SourceChanged(text), out error),
            StopKind => Text(bytes[1..], static text => new Stop(text), out error),
            SignalKind when bytes.Length == SignalBytes => new Signal(bytes[1], BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..])),
            LeavingKind or RequestsServedKind or SignalKind => Refuse($"of kind {bytes[0]} with {bytes.Length} bytes", out error),
            _ when bytes.StartsWith(OverflowMark) => Text(bytes[OverflowMark.Length..].TrimEnd((byte)'\n'), static line => new Overflowed(line), out error),
            _ => Refuse($"of a kind that there is not ({bytes[0]})", out error),
        };
    }

    private static WorkerMessage? Text(ReadOnlySpan<byte> bytes, Func<string, WorkerMessage> make, out string? error)
    {
        var text = MessageText.Read(bytes, out var wrong);
        error = wrong is null ? null : $"of which {wrong}";
        return text is null ? null : make(text);
    }

    private static WorkerMessage? Refuse(string why, out string? error)
    {
        error = why;
        return null;
    }
}
