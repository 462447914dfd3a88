using System.Net.Sockets;

namespace UGreen.Py.Front.Sockets;

/// <summary>One line that names the option and the address on which the server cannot listen.</summary>
internal static class BindError
{
    public static FrontException Of(ListenAddress address, SocketException error) => Of(address, Reason(address, error), error);

    public static FrontException Of(ListenAddress address, string reason, Exception? inner = null)
    {
        var message = $"cannot listen on {address.Option} {address.Text}: {reason}";
        return inner is null ? new FrontException(message) : new FrontException(message, inner);
    }

    private static string Reason(ListenAddress address, SocketException error) => error.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => "the address is already in use",
        SocketError.AccessDenied when address.UnixPath is not null => "permission denied",
        SocketError.AccessDenied => "permission denied (ports below 1024 need root or CAP_NET_BIND_SERVICE)",
        SocketError.AddressNotAvailable when address.Host is not null => "the address does not belong to this machine",
        SocketError.AddressFamilyNotSupported => "this machine does not support the address family",
        _ => error.Message,
    };
}
