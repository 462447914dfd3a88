using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace UGreen.Py.Front.Sockets;

/// <summary>
/// An address to listen on, as every socket option takes it: <c>HOST:PORT</c>, <c>:PORT</c> or <c>PORT</c> (every IPv4 address), <c>[::1]:PORT</c>, the path of a unix
/// socket (it holds a slash, or no colon), <c>@NAME</c> (abstract unix socket), <c>fd://N</c> (a socket that the parent process opened).
/// <para>
/// A relative path counts from the directory in which the server was started, whatever <c>--chdir</c> says. A name is looked up once, at start; its first IPv4
/// address is taken, or its first IPv6 address if it has no other, so that one option always means one socket.
/// </para>
/// </summary>
public sealed record ListenAddress
{
    // sun_path has 108 bytes, one of them for the final NUL or, in an abstract name, the leading one.
    private const int MaxPathBytes = 107;

    private const string InheritedScheme = "fd://";

    private static readonly SearchValues<char> HostCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

    private ListenAddress(string option, string text)
    {
        Option = option;
        Text = text;
    }

    /// <summary>The option that the address is of, with its dashes; error messages name it.</summary>
    public string Option { get; }

    /// <summary>The address as the operator wrote it.</summary>
    public string Text { get; }

    /// <summary>Host name or address without brackets; empty for every IPv4 address. Null when it is not TCP.</summary>
    public string? Host { get; private init; }

    /// <summary>TCP port; 0 lets the kernel choose one.</summary>
    public int Port { get; private init; }

    /// <summary>Absolute path of a unix socket, or NUL and the name of an abstract one. Null when it is none.</summary>
    public string? UnixPath { get; private init; }

    /// <summary>Descriptor of an inherited socket; null when it is none.</summary>
    public int? InheritedFd { get; private init; }

    /// <summary>Reads one address.</summary>
    /// <param name="option">With its dashes.</param>
    /// <param name="text">What the operator wrote.</param>
    /// <exception cref="FrontException">It is none of the forms.</exception>
    public static ListenAddress Parse(string option, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var address = new ListenAddress(option, text.Trim());
        var value = address.Text;
        if (value.Length == 0) throw address.Refuse("the address is empty");
        if (value.StartsWith(InheritedScheme, StringComparison.Ordinal)) return address with { InheritedFd = address.Number(value[InheritedScheme.Length..], int.MaxValue, "file descriptor") };
        if (value.Contains("://", StringComparison.Ordinal)) throw address.Refuse("write the address without a scheme");
        if (value.StartsWith("unix:", StringComparison.OrdinalIgnoreCase)) throw address.Refuse("write the path alone, without 'unix:'");
        if (value[0] == '@') return address with { UnixPath = address.SocketPath("\0" + value[1..]) };
        if (value.Contains('/', StringComparison.Ordinal)) return address with { UnixPath = address.SocketPath(Path.GetFullPath(value)) };
        if (value[0] == '[') return address.Bracketed(value);

        var colon = value.LastIndexOf(':');
        if (colon >= 0) return address.HostAndPort(value[..colon], value[(colon + 1)..]);
        return value.All(char.IsAsciiDigit) ? address.HostAndPort("", value) : address with { UnixPath = address.SocketPath(Path.GetFullPath(value)) };
    }

    /// <summary>The TCP address to bind; looks a host name up.</summary>
    /// <exception cref="FrontException">The name has no address.</exception>
    public async Task<IPEndPoint> ResolveAsync(CancellationToken cancellation = default)
    {
        if (Host is null) throw new InvalidOperationException($"{Text} is not a TCP address");
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
            throw new FrontException($"{Option} {Text}: the host name '{Host}' cannot be looked up ({e.Message})", e);
        }

        throw new FrontException($"{Option} {Text}: the host name '{Host}' has no address");
    }

    public override string ToString() => Text;

    private ListenAddress HostAndPort(string host, string port)
    {
        if (host.Contains(':', StringComparison.Ordinal)) throw Refuse("an IPv6 address must stand in brackets, as in [::1]:8080");
        if (host == "*") host = "";
        if (host.AsSpan().ContainsAnyExcept(HostCharacters)) throw Refuse($"'{host}' is not a host name");
        RefuseUnusualIPv4(host);
        return this with { Host = host, Port = PortNumber(port) };
    }

    private ListenAddress Bracketed(string value)
    {
        var end = value.IndexOf(']', StringComparison.Ordinal);
        if (end < 0) throw Refuse("the closing bracket is missing");

        var host = value[1..end];
        if (!IPAddress.TryParse(host, out var address) || address.AddressFamily != AddressFamily.InterNetworkV6) throw Refuse($"'{host}' is not an IPv6 address");
        if (end + 1 >= value.Length || value[end + 1] != ':') throw Refuse("a port must follow, as in [::1]:8080");
        return this with { Host = host, Port = PortNumber(value[(end + 2)..]) };
    }

    /// <summary>The old forms of inet_aton (1.2.3 for 1.2.0.3, octal 010.0.0.1, hexadecimal) are read in more than one way; nobody writes them on purpose.</summary>
    private void RefuseUnusualIPv4(string host)
    {
        var isNumeric = host.Length > 0 && host.All(c => char.IsAsciiDigit(c) || c == '.');
        var isAddress = IPAddress.TryParse(host, out var address);
        if ((isNumeric || isAddress) && address?.ToString() != host) throw Refuse($"'{host}' is not an IPv4 address of four numbers from 0 to 255");
    }

    private string SocketPath(string path)
    {
        if (path.Length == 1 || Encoding.UTF8.GetByteCount(path) > MaxPathBytes) throw Refuse($"the absolute path of a unix socket has 1 to {MaxPathBytes} bytes");
        return path;
    }

    private int PortNumber(string digits)
    {
        if (digits.Length == 0) throw Refuse("the port is missing");
        return Number(digits, IPEndPoint.MaxPort, $"port (0 to {IPEndPoint.MaxPort})");
    }

    private int Number(string digits, int max, string what)
    {
        // NumberStyles.None: no sign, no blanks; "+80" is a typing error, not a port.
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > max) throw Refuse($"'{digits}' is not a {what}");
        return number;
    }

    private FrontException Refuse(string reason)
        => new($"{Option} '{Text}': {reason}; expected HOST:PORT, :PORT, the path of a unix socket, @NAME or fd://N, for example 127.0.0.1:8080 or /run/app.sock");
}
