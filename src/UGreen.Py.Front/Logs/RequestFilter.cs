using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Logs;

/// <summary>Which requests have a line when request lines are off (<c>--disable-logging</c>).</summary>
public sealed record RequestFilter
{
    /// <summary>Those answered with a status from 400 to 499.</summary>
    public bool ClientErrors { get; init; }

    /// <summary>Those answered with a status of 500 or more.</summary>
    public bool ServerErrors { get; init; }

    /// <summary>Those that took at least this many milliseconds; null: no matter.</summary>
    public int? SlowMilliseconds { get; init; }

    /// <summary>Those with at least this many body bytes; null: no matter.</summary>
    public long? BigBytes { get; init; }

    /// <summary>Those without a body byte.</summary>
    public bool Empty { get; init; }

    /// <param name="exchange">The finished exchange.</param>
    /// <param name="status">What was really sent.</param>
    /// <param name="elapsedTicks">In <see cref="System.Diagnostics.Stopwatch"/> ticks.</param>
    public bool Wants(GatewayExchange exchange, int status, long elapsedTicks)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        return (ClientErrors && status is >= 400 and < 500)
            || (ServerErrors && status >= 500)
            || (Empty && exchange.BytesOut == 0)
            || exchange.BytesOut >= (BigBytes ?? long.MaxValue)
            || (SlowMilliseconds is { } slow && elapsedTicks >= slow * (double)System.Diagnostics.Stopwatch.Frequency / 1000)
            || exchange.LogNotes is { IsWanted: true };
    }
}
