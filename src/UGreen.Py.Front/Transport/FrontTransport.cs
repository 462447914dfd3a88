using System.Net;
using Microsoft.AspNetCore.Connections;

namespace UGreen.Py.Front.Transport;

/// <summary>Kestrel takes one transport for all its sockets; this one asks <paramref name="polled"/>, or <paramref name="sockets"/> for those with TLS.</summary>
/// <param name="polled">Also ended by this.</param>
/// <param name="sockets">Kestrel's own.</param>
/// <param name="tls">The keys of the sockets with TLS.</param>
internal sealed class FrontTransport(PolledTransport polled, IConnectionListenerFactory sockets, IReadOnlySet<EndPoint> tls) : IConnectionListenerFactory, IDisposable
{
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        => !tls.Contains(endpoint) ? polled.BindAsync(endpoint, cancellationToken) : sockets.BindAsync(endpoint, cancellationToken);

    public void Dispose() => polled.Dispose();
}
