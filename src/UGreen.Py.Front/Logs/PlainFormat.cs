namespace UGreen.Py.Front.Logs;

/// <summary>The usual line, see <see cref="RequestLine"/>.</summary>
public sealed class PlainFormat : IRequestFormat
{
    [ThreadStatic]
    private static byte[]? t_line;

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Format(scoped in RequestEntry entry)
    {
        var line = t_line ??= new byte[RequestLine.MaxBytes];
        var exchange = entry.Exchange;
        var length = new RequestLine
        {
            At = entry.Time.GetLocalNow().TimeOfDay,
            Method = exchange.Method,
            Target = exchange.Target,
            Status = entry.Status,
            Bytes = exchange.BytesOut,
            Milliseconds = entry.Milliseconds,
            Core = exchange.Core,
            Switches = exchange.Switches,
            Aborted = entry.Aborted,
        }.Format(line);
        return line.AsSpan(0, length);
    }
}
