using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace UGreen.Py.Front.Uwsgi;

/// <summary>
/// Where the uwsgi front listens: the value of one <c>--socket</c> option, in the forms of uWSGI: <c>HOST:PORT</c>, <c>:PORT</c> (every IPv4 address), a path (unix
/// socket), <c>@name</c> (abstract unix socket), <c>fd://N</c> (a socket that the parent process opened). As there, a colon makes it TCP.
/// </summary>
public sealed record UwsgiEndpoint
{
    /// <summary>The option that holds endpoints; error messages name it.</summary>
    public const string OptionName = "--socket";

    // sun_path has 108 bytes, one of them for the final NUL or, in an abstract name, the leading one.
    private const int MaxPathBytes = 107;

    private UwsgiEndpoint(string text, EndPoint? address, string host, int port)
    {
        Text = text;
        Address = address;
        Host = host;
        Port = port;
    }

    /// <summary>The value as the operator wrote it.</summary>
    public string Text { get; }

    /// <summary>The socket address; null while a host name must be looked up, see <see cref="ResolveAsync"/>.</summary>
    public EndPoint? Address { get; }

    private string Host { get; }

    private int Port { get; }

    /// <summary>Reads the value of an option.</summary>
    /// <exception cref="FrontException">It is none of the forms.</exception>
    public static UwsgiEndpoint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var value = text.Trim();
        if (value.Length == 0) throw Refuse(text, "the address is empty");
        if (value.StartsWith("fd://", StringComparison.Ordinal)) return new UwsgiEndpoint(value, Inherited(text, value[5..]), "", 0);
        if (value.Contains("://", StringComparison.Ordinal)) throw Refuse(text, "write the address without a scheme");
        if (value[0] == '@') return new UwsgiEndpoint(value, Unix(text, "\0" + value[1..]), "", 0);
        var colon = value.LastIndexOf(':');
        if (colon < 0 || value[0] == '/') return new UwsgiEndpoint(value, Unix(text, Path.GetFullPath(value)), "", 0);

        var port = Number(text, value[(colon + 1)..], IPEndPoint.MaxPort, "port");
        var host = value[..colon];
        if (host.StartsWith('[') && host.EndsWith(']')) host = host[1..^1];
        else if (host.Contains(':', StringComparison.Ordinal)) throw Refuse(text, "an IPv6 address must stand in brackets, as in [::1]:3031");
        if (host is "" or "*") return new UwsgiEndpoint(value, new IPEndPoint(IPAddress.Any, port), host, port);
        // "localhost" is 127.0.0.1 whatever /etc/hosts lists first: the same start line on every machine.
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return new UwsgiEndpoint(value, new IPEndPoint(IPAddress.Loopback, port), host, port);
        return new UwsgiEndpoint(value, IPAddress.TryParse(host, out var literal) ? new IPEndPoint(literal, port) : null, host, port);
    }

    /// <summary>The socket address to bind; looks a host name up.</summary>
    /// <exception cref="FrontException">The name has no address.</exception>
    public async Task<EndPoint> ResolveAsync(CancellationToken cancellation = default)
    {
        if (Address is not null) return Address;
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(Host, cancellation).ConfigureAwait(false);
            var chosen = Array.Find(addresses, a => a.AddressFamily == AddressFamily.InterNetwork) ?? addresses.FirstOrDefault();
            if (chosen is not null) return new IPEndPoint(chosen, Port);
        }
        catch (SocketException e)
        {
            throw new FrontException($"{OptionName} {Text}: the host name '{Host}' cannot be looked up ({e.Message})", e);
        }

        throw new FrontException($"{OptionName} {Text}: the host name '{Host}' has no address");
    }

    /// <summary>Makes Kestrel serve the uwsgi protocol on <paramref name="address"/>.</summary>
    public static void Listen(KestrelServerOptions options, EndPoint address, UwsgiConnectionHandler handler)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Listen(address, listen =>
        {
            // Kestrel puts its HTTP behind whatever was asked for here; the handler never goes on to it. Http1 keeps it from speaking of TLS.
            listen.Protocols = HttpProtocols.Http1;
            listen.Run(handler.OnConnectedAsync);
        });
    }

    public override string ToString() => Text;

    private static FileHandleEndPoint Inherited(string text, string number) => new((ulong)Number(text, number, int.MaxValue, "file descriptor"), FileHandleType.Auto);

    private static UnixDomainSocketEndPoint Unix(string text, string path)
    {
        if (path.Length == 1 || System.Text.Encoding.UTF8.GetByteCount(path) > MaxPathBytes) throw Refuse(text, $"the path of a unix socket has 1 to {MaxPathBytes} bytes");
        return new UnixDomainSocketEndPoint(path);
    }

    private static int Number(string text, string digits, int max, string what)
    {
        // NumberStyles.None: no sign, no blanks; "+80" is a typing error, not a port.
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > max) throw Refuse(text, $"'{digits}' is not a {what}");
        return number;
    }

    private static FrontException Refuse(string text, string reason)
        => new($"{OptionName} '{text}': {reason}; expected HOST:PORT, a path, @NAME or fd://N, for example 127.0.0.1:3031 or /run/app.sock");
}
