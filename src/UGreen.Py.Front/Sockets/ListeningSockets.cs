using System.Net;
using System.Net.Sockets;
using UGreen.Py.Native;

namespace UGreen.Py.Front.Sockets;

/// <summary>
/// Opens every listening socket before Kestrel starts, and then hands them to it. So an error is known with its option, and at an error all are closed again.
/// <para>A socket file is removed by .NET when its socket is closed, which Kestrel does when it stops listening.</para>
/// </summary>
internal sealed class ListeningSockets : IDisposable
{
    private readonly Dictionary<EndPoint, Socket> _open = new(ReferenceEqualityComparer.Instance);
    private readonly List<int> _descriptors = [];
    private readonly int _backlog;
    private readonly UnixFileMode? _mode;

    /// <param name="backlog">Connections that may wait to be accepted.</param>
    /// <param name="mode">Permissions of socket files; null: what the umask leaves.</param>
    public ListeningSockets(int backlog, UnixFileMode? mode)
    {
        _backlog = backlog;
        _mode = mode;
    }

    /// <summary>Opens one socket.</summary>
    /// <returns>Where it really listens; the key for <see cref="Take"/>.</returns>
    /// <exception cref="FrontException">It cannot be opened.</exception>
    public async Task<EndPoint> OpenAsync(ListenAddress address, CancellationToken cancellation)
    {
        var target = address.Host is null ? null : await address.ResolveAsync(cancellation).ConfigureAwait(false);
        var socket = address.InheritedFd is { } fd ? Inherited(address, fd) : Create(address, target);
        try
        {
            if (target is not null) socket.Bind(target);
            else if (address.UnixPath is { } path) BindUnix(address, socket, path);
            // Now, although Kestrel does it again: whoever looks at a socket file that is bound and does not listen takes it for a stale one.
            socket.Listen(_backlog);
            var key = socket.LocalEndPoint ?? throw BindError.Of(address, "the socket has no address");
            _open.Add(key, socket);
            _descriptors.Add((int)socket.Handle);
            OwnDescriptors.AddListening((int)socket.Handle);
            return key;
        }
        catch (Exception e)
        {
            socket.Dispose();
            if (e is SocketException error) throw BindError.Of(address, error);
            throw;
        }
    }

    /// <summary>Of the open ones, in the order in which they were opened.</summary>
    public IReadOnlyList<int> Descriptors => _descriptors;

    /// <summary>What Kestrel's transport asks for. The socket is its own from now on.</summary>
    public Socket Take(EndPoint key) => _open[key];

    /// <summary>From now on they may be closed, by Kestrel too: forked children find them open for that moment, and not another file under their numbers.</summary>
    public void Forget()
    {
        foreach (var fd in _descriptors) OwnDescriptors.RemoveListening(fd);
        _descriptors.Clear();
    }

    /// <summary>Closes all, also those that were taken.</summary>
    public void Dispose()
    {
        Forget();
        foreach (var socket in _open.Values) socket.Dispose();
    }

    private static Socket Create(ListenAddress address, IPEndPoint? target)
    {
        try
        {
            if (target is null) return new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            // [::] means every address, as with other servers.
            if (target.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            return socket;
        }
        catch (SocketException e)
        {
            throw BindError.Of(address, e);
        }
    }

    private static Socket Inherited(ListenAddress address, int fd)
    {
        try
        {
            // Looked at before it is owned: a mistyped number must not close standard error, of all descriptors.
            using (var look = new Socket(new SafeSocketHandle(fd, ownsHandle: false)))
            {
                if (look.SocketType != SocketType.Stream) throw BindError.Of(address, "it is not a stream socket");
            }

            return new Socket(new SafeSocketHandle(fd, ownsHandle: true));
        }
        catch (SocketException e)
        {
            throw BindError.Of(address, $"file descriptor {fd} is not an open socket", e);
        }
    }

    private void BindUnix(ListenAddress address, Socket socket, string path)
    {
        var isFile = path[0] != '\0';
        if (isFile) UnixSocketFile.RemoveStale(address);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        // Nobody can connect before Listen, so nobody is refused or let in by the wrong mode. (The platform is asked for the compiler's sake.)
        if (isFile && _mode is { } mode && OperatingSystem.IsLinux()) File.SetUnixFileMode(path, mode);
    }
}
