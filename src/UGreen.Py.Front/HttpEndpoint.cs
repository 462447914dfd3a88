using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace UGreen.Py.Front;

/// <summary>
/// Where the HTTP front listens: the value of one <c>--http</c> option.
/// <para>
/// As in uWSGI an empty host means every IPv4 address. A name is looked up once, at start; its first IPv4 address is taken, or its first IPv6 address if it
/// has no other, so that one option always means one socket.
/// </para>
/// </summary>
public sealed record HttpEndpoint
{
    /// <summary>The option that holds endpoints; error messages name it.</summary>
    public const string OptionName = "--http";

    private static readonly SearchValues<char> IPv4Characters = SearchValues.Create("0123456789.");
    private static readonly SearchValues<char> HostCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

    private HttpEndpoint(string text, string host, int port)
    {
        Text = text;
        Host = host;
        Port = port;
    }

    /// <summary>The value as the operator wrote it.</summary>
    public string Text { get; }

    /// <summary>Host name or address without brackets; empty for every IPv4 address.</summary>
    public string Host { get; }

    /// <summary>TCP port; 0 lets the kernel choose one.</summary>
    public int Port { get; }

    /// <summary>Reads <c>:8080</c>, <c>8080</c>, <c>host:8080</c>, <c>*:8080</c> or <c>[::1]:8080</c>.</summary>
    /// <exception cref="FrontException">The text is none of these.</exception>
    public static HttpEndpoint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var value = text.Trim();
        if (value.Length == 0) throw Refuse(text, "the address is empty");
        if (value.Contains("://", StringComparison.Ordinal)) throw Refuse(text, "write the address without a scheme");

        var (host, port) = value[0] == '[' ? SplitBracketed(text, value) : Split(text, value);
        return new HttpEndpoint(value, host, ParsePort(text, port));
    }

    /// <summary>The socket address to bind; looks a host name up.</summary>
    /// <exception cref="FrontException">The name has no address.</exception>
    public async Task<IPEndPoint> ResolveAsync(CancellationToken cancellation = default)
    {
        if (Host.Length == 0) return new IPEndPoint(IPAddress.Any, Port);
        if (IPAddress.TryParse(Host, out var literal)) return new IPEndPoint(literal, Port);
        // "localhost" is 127.0.0.1 whatever /etc/hosts lists first: the same start line on every machine.
        if (Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return new IPEndPoint(IPAddress.Loopback, Port);

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

    public override string ToString() => Text;

    private static (string Host, string Port) Split(string text, string value)
    {
        var colon = value.LastIndexOf(':');
        if (colon < 0) return ("", value);

        var host = value[..colon];
        if (host.Contains(':', StringComparison.Ordinal)) throw Refuse(text, "an IPv6 address must stand in brackets, as in [::1]:8080");
        if (host == "*") host = "";
        if (host.AsSpan().ContainsAnyExcept(HostCharacters)) throw Refuse(text, $"'{host}' is not a host name");
        if (LooksLikeIPv4(host) && !IPAddress.TryParse(host, out _)) throw Refuse(text, $"'{host}' is not an IPv4 address");
        return (host, value[(colon + 1)..]);
    }

    private static (string Host, string Port) SplitBracketed(string text, string value)
    {
        var end = value.IndexOf(']', StringComparison.Ordinal);
        if (end < 0) throw Refuse(text, "the closing bracket is missing");

        var host = value[1..end];
        if (!IPAddress.TryParse(host, out var address) || address.AddressFamily != AddressFamily.InterNetworkV6) throw Refuse(text, $"'{host}' is not an IPv6 address");
        if (end + 1 >= value.Length || value[end + 1] != ':') throw Refuse(text, "a port must follow, as in [::1]:8080");
        return (host, value[(end + 2)..]);
    }

    private static int ParsePort(string text, string port)
    {
        if (port.Length == 0) throw Refuse(text, "the port is missing");
        // NumberStyles.None: no sign, no blanks; "+80" is a typing error, not a port.
        if (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > IPEndPoint.MaxPort)
            throw Refuse(text, $"'{port}' is not a port (0 to 65535)");
        return number;
    }

    private static bool LooksLikeIPv4(string host) => host.Length > 0 && !host.AsSpan().ContainsAnyExcept(IPv4Characters);

    private static FrontException Refuse(string text, string reason)
        => new($"{OptionName} '{text}': {reason}; expected [HOST]:PORT, for example :8080 or 127.0.0.1:8080");
}
