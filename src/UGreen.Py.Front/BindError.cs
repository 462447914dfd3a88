using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using UGreen.Py.Front.Uwsgi;

namespace UGreen.Py.Front;

/// <summary>Turns what Kestrel and the socket layer throw at start into one line that names the option and the address.</summary>
internal static class BindError
{
    /// <returns>Null when the exception is not about an address; then it is a bug and must not be dressed up.</returns>
    /// <param name="error">What was thrown.</param>
    /// <param name="endpoints">Every --http endpoint.</param>
    /// <param name="bound">The addresses of these, in the same order.</param>
    /// <param name="sockets">Every --socket endpoint.</param>
    public static FrontException? Explain(Exception error, IReadOnlyList<HttpEndpoint> endpoints, IReadOnlyList<IPEndPoint> bound, IReadOnlyList<UwsgiEndpoint> sockets)
    {
        var code = Code(error);
        var reason = code switch
        {
            SocketError.AddressAlreadyInUse => "the address is already in use",
            SocketError.AccessDenied => "permission denied (ports below 1024 need root or CAP_NET_BIND_SERVICE)",
            SocketError.AddressNotAvailable => "the address does not belong to this machine",
            SocketError.AddressFamilyNotSupported => "this machine does not support the address family",
            null => null,
            _ => ((SocketException)Innermost(error)).Message,
        };
        if (reason is null) return null;

        // Kestrel does not say which of several endpoints failed except in its text; with one endpoint there is nothing to guess.
        List<string> all = [.. endpoints.Select(e => $"{HttpEndpoint.OptionName} {e.Text}"), .. sockets.Select(s => $"{UwsgiEndpoint.OptionName} {s.Text}")];
        var index = all.Count == 1 ? 0 : Failing(error, [.. bound.Select(b => b.ToString()), .. sockets.Select(s => s.Text)]);
        var which = index >= 0 ? all[index] : "one of " + string.Join(", ", all);
        return new FrontException($"cannot listen on {which}: {reason}", error);
    }

    private static SocketError? Code(Exception error)
    {
        for (var e = error; e is not null; e = e.InnerException)
        {
            if (e is SocketException socket) return socket.SocketErrorCode;
            if (e is AddressInUseException) return SocketError.AddressAlreadyInUse;
        }

        return null;
    }

    private static Exception Innermost(Exception error)
    {
        while (error is not SocketException && error.InnerException is { } inner) error = inner;
        return error;
    }

    private static int Failing(Exception error, IReadOnlyList<string> bound)
    {
        for (var i = 0; i < bound.Count; i++)
        {
            if (error.Message.Contains(bound[i], StringComparison.Ordinal)) return i;
        }

        return -1;
    }
}
