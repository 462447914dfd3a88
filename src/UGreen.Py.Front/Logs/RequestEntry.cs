using System.Diagnostics;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Logs;

/// <summary>One finished request as a line format sees it.</summary>
public readonly ref struct RequestEntry
{
    public required GatewayExchange Exchange { get; init; }

    /// <summary>The client's address as it is to be shown.</summary>
    public required ReadOnlySpan<char> Address { get; init; }

    /// <summary>What was really sent.</summary>
    public required int Status { get; init; }

    /// <summary>In <see cref="Stopwatch"/> ticks.</summary>
    public required long ElapsedTicks { get; init; }

    /// <summary>The response was broken off.</summary>
    public required bool Aborted { get; init; }

    /// <summary>The clock; <see cref="Start"/> and the time of the line are asked for only by formats that show them.</summary>
    public required TimeProvider Time { get; init; }

    public TimeSpan Elapsed => TimeSpan.FromTicks((long)(ElapsedTicks * ((double)TimeSpan.TicksPerSecond / Stopwatch.Frequency)));

    public double Milliseconds => ElapsedTicks * (1000.0 / Stopwatch.Frequency);

    /// <summary>When the request began, in UTC.</summary>
    public DateTimeOffset Start => Time.GetUtcNow() - Elapsed;
}
