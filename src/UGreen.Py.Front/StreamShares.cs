using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front;

/// <summary>The middleware that gives each HTTP/2 connection its share of the application side. Behind whatever finds out that it is one.</summary>
/// <param name="next">Kestrel's HTTP.</param>
/// <param name="most">Requests at a time; null: no limit.</param>
internal sealed class StreamShares(ConnectionDelegate next, int? most)
{
    /// <summary>Whether HTTP/2 was agreed on.</summary>
    public static bool IsHttp2(ConnectionContext connection)
        => connection.Features.Get<ITlsApplicationProtocolFeature>() is { } agreed && agreed.ApplicationProtocol.Span.SequenceEqual("h2"u8);

    public Task OnConnectionAsync(ConnectionContext connection)
    {
        if (most is { } count && IsHttp2(connection)) connection.Features.Set(new RequestShare(count, TimeProvider.System));
        return next(connection);
    }
}
