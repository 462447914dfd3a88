using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace UGreen.Py.Front;

/// <summary>
/// What a believed proxy says of its client. Read from the right, because a proxy adds at the end and everything before that may be the client's own invention.
/// <para>
/// <c>X-Forwarded-Host</c> is not read: proxies pass it through when they do not set it, so a client could choose the host name. The Host header is what the proxy passed on.
/// </para>
/// </summary>
internal static class ForwardedHeaders
{
    private const string For = "X-Forwarded-For";
    private const string Proto = "X-Forwarded-Proto";

    /// <summary>
    /// The first address from the right that is not a believed proxy itself; the leftmost when all are. An entry that is no address ends the search at the one before.
    /// </summary>
    /// <returns>False when there is none.</returns>
    public static bool TryGetClient(IHeaderDictionary headers, ForwardedPeers peers, ILogger logger, out IPEndPoint client)
    {
        client = new IPEndPoint(IPAddress.None, 0);
        if (!headers.TryGetValue(For, out var lines)) return false;

        var isFound = false;
        for (var i = lines.Count - 1; i >= 0; i--)
        {
            var rest = lines[i].AsSpan();
            while (!rest.IsEmpty)
            {
                var comma = rest.LastIndexOf(',');
                var entry = rest[(comma + 1)..].Trim();
                rest = comma < 0 ? [] : rest[..comma];
                if (!TryParse(entry, out var address))
                {
                    FrontLog.ForwardedIgnored(logger, For, lines.ToString());
                    return isFound;
                }

                (client, isFound) = (address, true);
                if (!peers.Has(address.Address)) return true;
            }
        }

        return isFound;
    }

    /// <returns>"http" or "https"; null when the header is not there or says something else.</returns>
    public static string? Scheme(IHeaderDictionary headers, ILogger logger)
    {
        if (!headers.TryGetValue(Proto, out var lines) || StringValues.IsNullOrEmpty(lines)) return null;
        var last = lines[^1].AsSpan();
        last = last[(last.LastIndexOf(',') + 1)..].Trim();
        if (last.Equals("https", StringComparison.OrdinalIgnoreCase)) return "https";
        if (last.Equals("http", StringComparison.OrdinalIgnoreCase)) return "http";
        FrontLog.ForwardedIgnored(logger, Proto, lines.ToString());
        return null;
    }

    /// <summary>An IPv4 or IPv6 address, with or without a port; a bare IPv6 address has no brackets.</summary>
    private static bool TryParse(ReadOnlySpan<char> entry, out IPEndPoint client)
    {
        client = new IPEndPoint(IPAddress.None, 0);
        // With one colon it is IPv4 and a port; IPEndPoint knows that, brackets, and a bare address of either kind. Only digits are left to it to be lenient about.
        if (!IPEndPoint.TryParse(entry, out var parsed)) return false;
        if (parsed.AddressFamily == AddressFamily.InterNetwork && !entry.StartsWith(parsed.Address.ToString(), StringComparison.Ordinal)) return false;
        client = parsed.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(parsed.Address.MapToIPv4(), parsed.Port) : parsed;
        return true;
    }
}
