namespace UGreen.Py.Front;

/// <summary>What an <see cref="HttpFront"/> is started with.</summary>
/// <param name="Endpoints">Where to listen for HTTP; at least one here or in <see cref="UwsgiEndpoints"/>.</param>
public sealed record HttpFrontOptions(IReadOnlyList<HttpEndpoint> Endpoints)
{
    public IReadOnlyList<Uwsgi.UwsgiEndpoint> UwsgiEndpoints { get; init; } = [];

    public Uwsgi.UwsgiFrontOptions Uwsgi { get; init; } = new();

    /// <summary>For all fronts; of <see cref="Uwsgi"/> it overrules what both have.</summary>
    public FrontLimits Limits { get; init; } = new();

    /// <summary>Whose X-Forwarded headers count; null: nobody's.</summary>
    public ForwardedPeers? Forwarded { get; init; }

    /// <summary>Connections that may wait to be accepted, for each socket; the kernel cuts it to net.core.somaxconn.</summary>
    public int Backlog { get; init; } = 512;

    /// <summary>Shares connections with other processes that accept from the same sockets; null: there are none.</summary>
    public Sockets.IConnectionShare? Share { get; init; }

    /// <summary>Permissions of the files of unix sockets; null: what the umask leaves.</summary>
    public UnixFileMode? SocketMode { get; init; }
}
