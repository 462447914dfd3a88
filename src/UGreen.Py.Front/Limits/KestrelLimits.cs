using System.Buffers.Binary;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace UGreen.Py.Front;

/// <summary>Hands <see cref="FrontLimits"/> to Kestrel and to the kernel.</summary>
internal static class KestrelLimits
{
    private const int TcpLevel = 6;
    private const int TcpUserTimeout = 18;

    static KestrelLimits()
    {
        // A line of the head or of a chunk that ends in LF alone: a proxy that sees one line where we see two is how requests are smuggled past it. Read once by Kestrel.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
    }

    /// <summary>Before the first <see cref="KestrelServerOptions"/> is made, which is when Kestrel reads its switches.</summary>
    public static void Prepare()
    {
        // The static constructor has done it.
    }

    public static void Apply(FrontLimits limits, KestrelServerLimits kestrel)
    {
        kestrel.MaxRequestLineSize = limits.HeadBytes;
        kestrel.MaxRequestHeadersTotalSize = limits.HeadBytes;
        kestrel.MaxRequestHeaderCount = limits.Headers;
        kestrel.RequestHeadersTimeout = limits.Head;
        // The first request of a connection must come, too, when no second one is served.
        kestrel.KeepAliveTimeout = limits.KeepAlive ?? limits.Head;
        // Bodies are counted by RequestBodyReader: Kestrel counts the framing of chunks as well, and its answer to the application is no OSError that says what is wrong.
        kestrel.MaxRequestBodySize = null;
        // Kestrel's rates (240 bytes a second) end slow clients that are alive. Pauses are watched instead: PauseWatch for bodies, the kernel for responses.
        kestrel.MinRequestBodyDataRate = null;
        kestrel.MinResponseDataRate = null;
        kestrel.Http2.MaxStreamsPerConnection = limits.Streams;
        kestrel.Http2.MaxRequestHeaderFieldSize = limits.HeadBytes;
    }

    /// <summary>
    /// The pause of a response over TCP is the kernel's business: it alone knows what the client has taken, also after the last byte was handed over. The option is set
    /// on the listening socket, from which connections inherit it, so that none of them costs a system call.
    /// </summary>
    public static void Apply(FrontLimits limits, SocketTransportOptions transport)
    {
        if (limits.Pause is not { } pause) return;
        var create = transport.CreateBoundListenSocket;
        transport.CreateBoundListenSocket = endpoint =>
        {
            var socket = create(endpoint);
            if (socket.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6) SetUserTimeout(socket, pause);
            return socket;
        };
    }

    private static void SetUserTimeout(Socket socket, TimeSpan pause)
    {
        Span<byte> milliseconds = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(milliseconds, (int)Math.Clamp(pause.TotalMilliseconds, 1, int.MaxValue));
        socket.SetRawSocketOption(TcpLevel, TcpUserTimeout, milliseconds);
    }
}
