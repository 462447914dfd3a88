namespace UGreen.Py.Server.Master;

/// <summary>
/// What a master says to a worker, written as <see cref="WorkerMessage"/> is:
/// <code>
/// Drain    kind | text
/// Signal   kind | number: 1 byte
/// </code>
/// </summary>
internal abstract record MasterMessage
{
    // Other numbers than a worker's: neither is taken for the other.
    private const byte DrainKind = 65;
    private const byte SignalKind = 66;

    private MasterMessage()
    {
    }

    /// <summary>Take no new requests, finish the running ones, and end.</summary>
    /// <param name="Reason">For the log.</param>
    public sealed record Drain(string Reason) : MasterMessage;

    /// <summary>Another worker has raised a signal of the uwsgi module.</summary>
    /// <param name="Number">Which.</param>
    public sealed record Signal(byte Number) : MasterMessage;

    /// <summary>As bytes.</summary>
    public byte[] Write() => this switch
    {
        Drain drain => MessageText.Compose([DrainKind], drain.Reason),
        Signal signal => [SignalKind, signal.Number],
        _ => throw new InvalidOperationException($"{GetType().Name} has no bytes"),
    };

    /// <summary>The message in these bytes; null: they are none.</summary>
    public static MasterMessage? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length is 0 or > ControlChannel.MostBytes) return null;
        if (bytes[0] == SignalKind && bytes.Length == 2) return new Signal(bytes[1]);
        return bytes[0] == DrainKind && MessageText.Read(bytes[1..], out _) is { } reason ? new Drain(reason) : null;
    }
}
