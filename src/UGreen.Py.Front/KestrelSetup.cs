using System.Net;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace UGreen.Py.Front;

/// <summary>The settings of Kestrel and its transport, each with its reason.</summary>
internal static class KestrelSetup
{
    public static KestrelServerOptions ServerOptions(IEnumerable<IPEndPoint> endpoints)
    {
        KestrelLimits.Prepare();
        var options = new KestrelServerOptions
        {
            AddServerHeader = false,
            // PEP 3333's native strings: each byte is one char, in both directions.
            RequestHeaderEncodingSelector = static name => name == "Content-Length" ? ContentLengthEncoding.Instance : Encoding.Latin1,
            ResponseHeaderEncodingSelector = static _ => Encoding.Latin1,
        };
        foreach (var endpoint in endpoints)
        {
            // HTTP/2 needs TLS to be negotiated; without it Kestrel would only warn.
            options.Listen(endpoint, static listen => listen.Protocols = HttpProtocols.Http1);
        }

        return options;
    }

    public static SocketTransportOptions TransportOptions() => new();

    /// <summary>The sockets, with the limits that are not Kestrel's.</summary>
    public static IConnectionListenerFactory Transport(SocketTransportOptions options, FrontLimits limits, ILoggerFactory loggers)
    {
        KestrelLimits.Apply(limits, options);
        var sockets = new SocketTransportFactory(Options.Create(options), loggers);
        return limits.Connections is { } most ? new LimitedTransport(sockets, new ConnectionBudget(most, loggers.CreateLogger(FrontLog.Category), TimeProvider.System)) : sockets;
    }
}
