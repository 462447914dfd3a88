using System.Diagnostics;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front;

/// <summary>Formats request lines into a <see cref="LineBatch"/>: no string per request and no write per line.</summary>
public sealed class AccessLog : IAccessLog
{
    private static readonly double MillisecondsPerTick = 1000.0 / Stopwatch.Frequency;

    private readonly LineBatch _lines;
    private readonly TimeProvider _time;

    /// <param name="lines">Where the lines go.</param>
    /// <param name="time">Gives the time of day at the start of each line.</param>
    public AccessLog(LineBatch lines, TimeProvider time)
    {
        _lines = lines;
        _time = time;
    }

    /// <inheritdoc/>
    public void Log(GatewayExchange exchange, int status, long elapsedTicks, bool aborted)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        Span<byte> buffer = stackalloc byte[RequestLine.MaxBytes];
        var line = new RequestLine
        {
            At = _time.GetLocalNow().TimeOfDay,
            Method = exchange.Method,
            Target = exchange.Target,
            Status = status,
            Bytes = exchange.BytesOut,
            Milliseconds = elapsedTicks * MillisecondsPerTick,
            Core = exchange.Core,
            Switches = exchange.Switches,
            Aborted = aborted,
        };
        _lines.Add(buffer[..line.Format(buffer)]);
    }
}
