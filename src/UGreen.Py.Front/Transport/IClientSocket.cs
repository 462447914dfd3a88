using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace UGreen.Py.Front.Transport;

/// <summary>A connection feature: what an exchange wants to know of the client's socket. Any thread.</summary>
internal interface IClientSocket
{
    /// <summary>Its descriptor; -1 when it is closed.</summary>
    int Fd { get; }

    /// <summary>TCP, as opposed to a unix socket.</summary>
    bool IsTcp { get; }

    /// <summary>The client has ended its side, or the connection is gone.</summary>
    bool HasEnded { get; }

    /// <summary>For protocols with one request after the other: an answer is due from now on, or none any more. A client that ends its sending half meanwhile gets it.</summary>
    void SetAnswerDue(bool isDue);

    /// <summary>Where the front goes on when the application side has answered.</summary>
    PipeScheduler Scheduler { get; }
}

/// <summary>Finds <see cref="IClientSocket"/> whichever transport the connection has.</summary>
internal static class ClientSocket
{
    public static IClientSocket? Of(IFeatureCollection features)
        => features.Get<IClientSocket>() ?? (features.Get<IConnectionSocketFeature>() is { } feature ? new DotNetSocket(feature.Socket) : null);

    /// <summary>Of Kestrel's own transport.</summary>
    private sealed class DotNetSocket(Socket socket) : IClientSocket
    {
        public int Fd => socket.SafeHandle.IsClosed ? -1 : (int)socket.Handle;

        public bool IsTcp => socket.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6;

        public PipeScheduler Scheduler => PipeScheduler.ThreadPool;

        /// <summary>Does nothing: with TLS the end of one half is the end (docs/adr/0038).</summary>
        public void SetAnswerDue(bool isDue)
        {
        }

        public bool HasEnded
        {
            get
            {
                try
                {
                    return socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0;
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    return true;
                }
            }
        }
    }
}
