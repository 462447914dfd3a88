namespace UGreen.Py.Front;

/// <summary>How much and how long a client may take, the same over every front. What uwsgi packets may hold beside this is in <see cref="Uwsgi.UwsgiLimits"/>.</summary>
public sealed record FrontLimits
{
    /// <summary>
    /// Longest request line, and longest header section, of an HTTP request in bytes: <c>--buffer-size</c>. 32 KiB is what Kestrel takes for the headers; browsers keep 4 KiB
    /// for each cookie and a few of them, and the request line may be as long because single sign-on puts its tokens there.
    /// </summary>
    public int HeadBytes { get; init; } = 32 * 1024;

    /// <summary>Most headers of an HTTP request: <c>--max-headers</c>. Browsers send 20 and proxies add 10; each becomes a Python object in a dict.</summary>
    public int Headers { get; init; } = 100;

    /// <summary>Longest request body in bytes: <c>--limit-post</c>. Null: no limit, as in uWSGI; applications read in pieces and know better what they expect.</summary>
    public long? BodyBytes { get; init; }

    /// <summary>
    /// How long a client may send nothing of a request body that the application waits for, or take nothing of a response: <c>--http-timeout</c>. Null: for ever. A pause and
    /// no rate: a client on a bad line that sends one byte a second is served. 60 s is more than a phone needs to change the network.
    /// </summary>
    public TimeSpan? Pause { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// In what time a request head must be complete once it has begun: <c>--headers-timeout</c>. A head fits into a few packets; 10 s are for their retransmission. This
    /// is what clients that send a head for hours, one byte at a time, run into.
    /// </summary>
    public TimeSpan Head { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a connection may be idle before and between requests: <c>--http-keepalive</c>. Null: one request per connection. 65 s is more than the 60 s after which
    /// nginx, AWS and others close an idle connection to their upstream: the side that sends requests must be the one that closes, or a request meets a closed door.
    /// </summary>
    public TimeSpan? KeepAlive { get; init; } = TimeSpan.FromSeconds(65);

    /// <summary>Most open connections over all sockets: <c>--max-connections</c>. Null: no limit. Beyond it connections wait in the kernel's queue.</summary>
    public int? Connections { get; init; }

    /// <summary>
    /// Requests that one HTTP/2 connection may have open. 100 is the least that RFC 9113 (section 6.5.2) recommends; more would let one client fill <c>--async-queue</c>.
    /// Against streams that are opened and reset at once Kestrel closes the connection when there are more than twice as many.
    /// </summary>
    public int Streams { get; init; } = 100;

    /// <summary>
    /// Cores that the requests of one HTTP/2 connection may hold while the client takes nothing of their responses; further ones wait. Null: no limit. The server sets half of the
    /// cores: such a request holds its core until <see cref="Pause"/> is over, and a connection can have a hundred of them.
    /// </summary>
    public int? BlockedStreams { get; init; }
}
