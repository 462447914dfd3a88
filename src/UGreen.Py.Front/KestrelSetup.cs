using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using UGreen.Py.Front.Sockets;
using UGreen.Py.Front.Transport;

namespace UGreen.Py.Front;

/// <summary>The settings of Kestrel and its transport, each with its reason.</summary>
internal static class KestrelSetup
{
    public static KestrelServerOptions ServerOptions()
    {
        KestrelLimits.Prepare();
        var options = new KestrelServerOptions
        {
            AddServerHeader = false,
            // PEP 3333's native strings: each byte is one char, in both directions.
            RequestHeaderEncodingSelector = static name => name switch
            {
                "Content-Length" => ContentLengthEncoding.Instance,
                "Host" or ":authority" => HostEncoding.Instance,
                _ => Encoding.Latin1,
            },
            ResponseHeaderEncodingSelector = static _ => Encoding.Latin1,
            // A proxy that ends TLS and speaks HTTP/2 to us says ":scheme https". Which scheme it really was, HttpExchange decides.
            AllowAlternateSchemes = true,
            // RFC 9112, section 3.2.2: of a target in absolute form and a Host that says something else the target counts. Kestrel would answer 400.
            AllowHostHeaderOverride = true,
        };

        return options;
    }

    /// <summary>HTTP/1.1 and, with prior knowledge, HTTP/2.</summary>
    public static void ListenHttp(KestrelServerOptions options, EndPoint address, FrontLimits limits, DirectTransport direct)
    {
        // The protocols stay at the default, which is both: asked for by name, Kestrel would warn that HTTP/2 needs TLS.
        options.Listen(address, listen => listen.Use(direct.Intercept).Use(next => new PriorKnowledge(next, options.Limits).OnConnectionAsync).Use(next => new StreamShares(next, limits.BlockedStreams).OnConnectionAsync));
    }

    /// <summary>HTTP/1.1 and HTTP/2, chosen in the TLS handshake.</summary>
    public static void ListenHttps(KestrelServerOptions options, EndPoint address, FrontLimits limits, X509Certificate2 certificate, X509Certificate2Collection chain, ILoggerFactory loggers)
    {
        options.ApplicationServices ??= TlsServices(loggers);
        options.Listen(address, listen => listen.UseHttps(new HttpsConnectionAdapterOptions
        {
            ServerCertificate = certificate,
            ServerCertificateChain = chain,
            SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        }).Use(UnsizedRequestReader.Intercept).Use(next => new StreamShares(next, limits.BlockedStreams).OnConnectionAsync));
    }

    public static SocketTransportOptions TransportOptions(Func<EndPoint, Socket> take, int backlog)
        => new() { Backlog = backlog, CreateBoundListenSocket = take };

    /// <summary>The sockets, with the limits that are not Kestrel's.</summary>
    public static FrontTransport Transport(SocketTransportOptions options, FrontLimits limits, IReadOnlySet<EndPoint> tls, BlockPool blocks, ILoggerFactory loggers)
    {
        KestrelLimits.Apply(limits, options);
        // Without it everything works, with more garbage.
        _ = blocks.TryUse(options);
        return new FrontTransport(new PolledTransport(options, blocks, TimeProvider.System, loggers), new SocketTransportFactory(Options.Create(options), loggers), tls);
    }

    /// <summary>
    /// Kestrel's TLS middleware asks a container for objects of internal types, which only Kestrel's own registration can fill in. The application built for that is
    /// never started. Without TLS there is none: it would cost every start its time.
    /// </summary>
    private static IServiceProvider TlsServices(ILoggerFactory loggers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddSingleton(loggers);
        return builder.Build().Services;
    }
}
