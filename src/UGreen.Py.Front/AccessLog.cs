using UGreen.Py.Front.Logs;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front;

/// <summary>Formats request lines into a <see cref="LineBatch"/>: no string per request and no write per line.</summary>
public sealed class AccessLog : IAccessLog
{
    private readonly LineBatch _lines;
    private readonly TimeProvider _time;
    private readonly IRequestFormat _format;

    /// <param name="lines">Where the lines go.</param>
    /// <param name="time">Gives the time of day at the start of each line.</param>
    /// <param name="format">What a line looks like; null: the usual line.</param>
    public AccessLog(LineBatch lines, TimeProvider time, IRequestFormat? format = null)
    {
        _lines = lines;
        _time = time;
        _format = format ?? new PlainFormat();
    }

    /// <summary>Null: every request has its line.</summary>
    public RequestFilter? Filter { get; init; }

    /// <summary>
    /// Show the first address of X-Forwarded-For where there is one. Anybody can send that header: it is for servers that only a proxy can reach.
    /// </summary>
    public bool ShowForwardedFor { get; init; }

    /// <inheritdoc/>
    public void Log(GatewayExchange exchange, int status, long elapsedTicks, bool aborted)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        if (Filter is not null && !Filter.Wants(exchange, status, elapsedTicks)) return;

        var entry = new RequestEntry
        {
            Exchange = exchange,
            Address = ShowForwardedFor ? Forwarded(exchange) : exchange.RemoteAddress,
            Status = status,
            ElapsedTicks = elapsedTicks,
            Aborted = aborted,
            Time = _time,
        };
        _lines.Add(_format.Format(entry));
    }

    private static ReadOnlySpan<char> Forwarded(GatewayExchange exchange)
    {
        var list = RequestVariable.Header(exchange, "X-Forwarded-For", "HTTP_X_FORWARDED_FOR").AsSpan();
        var comma = list.IndexOf(',');
        var first = (comma < 0 ? list : list[..comma]).Trim(' ');
        return first.IsEmpty ? exchange.RemoteAddress : first;
    }
}
