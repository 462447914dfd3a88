using System.Net.Sockets;

namespace UGreen.Py.Front.Sockets;

/// <summary>What lies at the path of a unix socket before it is bound. A file that a killed server left is removed; nothing else ever is.</summary>
internal static class UnixSocketFile
{
    // errno of open(2) on a socket file, and on nothing else that has a size of 0.
    private const int ENXIO = 6;

    /// <summary>Makes way for a bind.</summary>
    /// <exception cref="FrontException">Somebody listens there, or it is not a socket; it was left alone.</exception>
    public static void RemoveStale(ListenAddress address)
    {
        var path = address.UnixPath!;
        var folder = Path.GetDirectoryName(path);
        if (!Directory.Exists(folder)) throw BindError.Of(address, $"the directory {folder} does not exist");
        var file = new FileInfo(path);
        if (Directory.Exists(path) || file.LinkTarget is not null) throw BindError.Of(address, "the path is a directory or a symbolic link; it was left alone");
        if (!file.Exists) return;

        if (!IsSocket(address, file)) throw BindError.Of(address, "the path is a file that is no socket; it was left alone");
        if (HasListener(address, path)) throw BindError.Of(address, "the address is already in use");
        try
        {
            file.Delete();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw BindError.Of(address, "a socket that nobody listens on is in the way and cannot be removed", e);
        }
    }

    /// <summary>.NET does not tell the type of a file. A socket has no bytes and cannot be opened; opening for reading and writing does not wait at a named pipe.</summary>
    private static bool IsSocket(ListenAddress address, FileInfo file)
    {
        if (file.Length > 0) return false;
        try
        {
            using var handle = File.OpenHandle(file.FullName, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return false;
        }
        catch (IOException e) when (e is not FileNotFoundException)
        {
            return e.HResult == ENXIO;
        }
        catch (FileNotFoundException)
        {
            // Its server has just removed it.
            return true;
        }
        catch (UnauthorizedAccessException e)
        {
            throw BindError.Of(address, "something is there already, and permission to look at it is denied", e);
        }
    }

    private static bool HasListener(ListenAddress address, string path)
    {
        // Not blocking: a listener whose queue is full would keep a blocking connect waiting.
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            throw BindError.Of(address, "something is there already, and permission to connect to it is denied", e);
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode != SocketError.ConnectionRefused && File.Exists(path);
        }
    }
}
