using System.Net;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace UGreen.Py.Front;

/// <summary>The settings of Kestrel and its transport, each with its reason.</summary>
internal static class KestrelSetup
{
    public static KestrelServerOptions ServerOptions(IEnumerable<IPEndPoint> endpoints)
    {
        var options = new KestrelServerOptions
        {
            AddServerHeader = false,
            // PEP 3333's native strings: each byte is one char, in both directions.
            RequestHeaderEncodingSelector = static name => name == "Content-Length" ? ContentLengthEncoding.Instance : Encoding.Latin1,
            ResponseHeaderEncodingSelector = static _ => Encoding.Latin1,
        };
        // WSGI applications decide on sizes themselves; a limit is an option of the server, not of Kestrel.
        options.Limits.MaxRequestBodySize = null;
        // Kestrel cuts clients that take or send less than 240 bytes a second; on a phone in a train they are legitimate, and waiting for them costs next to nothing here.
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;

        foreach (var endpoint in endpoints)
        {
            // HTTP/2 needs TLS to be negotiated; without it Kestrel would only warn.
            options.Listen(endpoint, static listen => listen.Protocols = HttpProtocols.Http1);
        }

        return options;
    }

    public static SocketTransportOptions TransportOptions() => new();
}
