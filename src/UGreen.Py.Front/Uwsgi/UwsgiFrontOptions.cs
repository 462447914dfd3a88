using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Uwsgi;

/// <summary>What a <see cref="UwsgiConnectionHandler"/> is started with.</summary>
public sealed record UwsgiFrontOptions
{
    public UwsgiLimits Limits { get; init; } = new();

    /// <summary>
    /// How long a connection may take to send its variable block. A front web server sends it at once; 10 s is for a busy machine, and bounds what idle connections hold.
    /// </summary>
    public TimeSpan HeadTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a connection stays open after a response of known length, to take in a request body that the application did not read. Closing at once would reset the
    /// connection, and the front web server would lose the response that is on its way. nginx closes by itself as soon as it has the response.
    /// </summary>
    public TimeSpan LingerTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The same after a response whose only end is the end of the connection: here the client waits for us, so it is short.</summary>
    public TimeSpan UnsizedLingerTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>See <see cref="FrontLimits.Pause"/>. Over TCP the kernel watches the response, if the listening socket was told; here it is watched on a unix socket.</summary>
    public TimeSpan? Pause { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>See <see cref="FrontLimits.BodyBytes"/>.</summary>
    public long? BodyBytes { get; init; }

    /// <summary>
    /// Called with each finished exchange, the status that was really sent, and the time since its head was read in <see cref="System.Diagnostics.Stopwatch"/> ticks;
    /// null: requests are not logged. The exchange must not be kept.
    /// </summary>
    public Action<UwsgiExchange, int, long>? RequestLog { get; init; }
}
