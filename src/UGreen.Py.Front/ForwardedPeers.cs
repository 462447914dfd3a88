using System.Net;
using System.Net.Sockets;

namespace UGreen.Py.Front;

/// <summary>The peers whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are believed: the value of <c>--forwarded-allow</c>.</summary>
public sealed class ForwardedPeers
{
    /// <summary>The option; error messages name it.</summary>
    public const string OptionName = "--forwarded-allow";

    private readonly List<IPNetwork> _networks = [];
    private bool _all;
    private bool _unix;

    private ForwardedPeers()
    {
    }

    /// <summary>Reads a list of IP addresses, networks (<c>10.0.0.0/8</c>), <c>unix</c> (peers on unix sockets) and <c>*</c> (everybody), with commas between.</summary>
    /// <exception cref="FrontException">An entry is none of these.</exception>
    public static ForwardedPeers Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var peers = new ForwardedPeers();
        foreach (var entry in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (entry == "*") peers._all = true;
            else if (entry == "unix") peers._unix = true;
            else peers._networks.Add(Network(text, entry));
        }

        return peers;
    }

    /// <summary>Whether to believe it.</summary>
    /// <param name="peer">The other side of a connection, or an address that a believed peer named; null: the connection is a unix socket.</param>
    public bool Has(IPAddress? peer)
    {
        if (_all) return true;
        if (peer is null) return _unix;
        if (peer.IsIPv4MappedToIPv6) peer = peer.MapToIPv4();
        foreach (var network in _networks)
        {
            if (network.Contains(peer)) return true;
        }

        return false;
    }

    private static IPNetwork Network(string text, string entry)
    {
        var slash = entry.IndexOf('/', StringComparison.Ordinal);
        var host = slash < 0 ? entry : entry[..slash];
        // As with the addresses to listen on: "10.1" would be 10.0.0.1.
        if (!IPAddress.TryParse(host, out var address) || (address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != host))
            throw new FrontException($"{OptionName} '{text}': '{entry}' is not an IP address, a network such as 10.0.0.0/8, unix or *");
        if (slash < 0) return new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
        // .NET would clear the bits behind the prefix; whoever wrote them meant something else.
        if (IPNetwork.TryParse(entry, out var network) && network.BaseAddress.Equals(address)) return network;
        throw new FrontException($"{OptionName} '{text}': '{entry}' is not a network: the bits behind the prefix must be 0, as in 10.0.0.0/8");
    }
}
