using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using UGreen.Py.Front.Sockets;
using UGreen.Py.Front.Transport;

namespace UGreen.Py.Front.Uwsgi;

/// <summary>Where the uwsgi front listens: the value of one <c>--socket</c> option.</summary>
/// <param name="Address">The address.</param>
public sealed record UwsgiEndpoint(ListenAddress Address)
{
    /// <summary>The option that holds endpoints; error messages name it.</summary>
    public const string OptionName = "--socket";

    /// <summary>The value as the operator wrote it.</summary>
    public string Text => Address.Text;

    /// <summary>Reads the value of an option.</summary>
    /// <exception cref="FrontException">It is not an address.</exception>
    public static UwsgiEndpoint Parse(string text) => new(ListenAddress.Parse(OptionName, text));

    /// <summary>Makes Kestrel serve the uwsgi protocol on <paramref name="address"/>.</summary>
    public static void Listen(KestrelServerOptions options, EndPoint address, UwsgiConnectionHandler handler) => Listen(options, address, handler, null);

    /// <param name="options">Kestrel's.</param>
    /// <param name="address">Where.</param>
    /// <param name="handler">Serves the connections.</param>
    /// <param name="direct">Runs them, where it is below Kestrel.</param>
    internal static void Listen(KestrelServerOptions options, EndPoint address, UwsgiConnectionHandler handler, DirectTransport? direct)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Listen(address, listen =>
        {
            // Kestrel puts its HTTP behind whatever was asked for here; the handler never goes on to it. Http1 keeps it from speaking of TLS.
            listen.Protocols = HttpProtocols.Http1;
            if (direct is not null) listen.Use(direct.Intercept);
            listen.Run(handler.OnConnectedAsync);
        });
    }

    public override string ToString() => Text;
}
