using System.Runtime.InteropServices;
using System.Text;

namespace UGreen.Py.Native;

/// <summary>What a descriptor leads to, for people: the other end of a connection, a file, a pipe. Any thread; it makes some system calls.</summary>
public static unsafe class DescriptorName
{
    // Longer paths are cut at their beginning: the end tells more.
    private const int MostText = 60;
    private const int UnixPath = 2; // sockaddr_un: the family, the path

    /// <summary>"fd 12 (127.0.0.1:3306)"; "fd 12" where nothing is known of it.</summary>
    public static string Of(int fd) => Target(fd) is { Length: > 0 } target ? $"fd {fd} ({Short(target)})" : $"fd {fd}";

    /// <summary>The same of a socket that is being connected.</summary>
    /// <param name="fd">The socket.</param>
    /// <param name="address">Where to: a struct sockaddr of the caller's.</param>
    /// <param name="bytes">Its size.</param>
    public static string Of(int fd, nint address, int bytes)
    {
        if (bytes is <= 0 or > Libc.Sockets.AddressBytes) return Of(fd);
        Span<byte> copy = stackalloc byte[bytes];
        // SAFETY: the caller of connect() says that so many bytes are there, and waits in it.
        new ReadOnlySpan<byte>((void*)address, bytes).CopyTo(copy);
        return Text(copy) is { Length: > 0 } target ? $"fd {fd} ({Short(target)})" : $"fd {fd}";
    }

    private static string? Target(int fd)
    {
        var address = stackalloc byte[Libc.Sockets.AddressBytes];
        uint bytes = Libc.Sockets.AddressBytes;
        // SAFETY: a buffer of this frame and its size. A socket that listens, or has no peer any more, says where it is itself.
        if (Libc.getpeername(fd, address, &bytes) == 0 && Text(new ReadOnlySpan<byte>(address, (int)Math.Min(bytes, Libc.Sockets.AddressBytes))) is { Length: > 0 } peer) return peer;
        bytes = Libc.Sockets.AddressBytes;
        if (Libc.getsockname(fd, address, &bytes) == 0) return Text(new ReadOnlySpan<byte>(address, (int)Math.Min(bytes, Libc.Sockets.AddressBytes))) is { Length: > 0 } own ? own : "socket";
        try
        {
            return new FileInfo($"/proc/self/fd/{fd}").LinkTarget is { } link ? Plain(link) : null;
        }
        catch (IOException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }

    // "pipe:[4711]", "anon_inode:[eventfd]"
    private static string Plain(string link)
    {
        const string Nameless = "anon_inode:";
        if (link.StartsWith(Nameless, StringComparison.Ordinal)) return link[Nameless.Length..].Trim('[', ']');
        return link.IndexOf(":[", StringComparison.Ordinal) is > 0 and var end && link[0] != '/' ? link[..end] : link;
    }

    private static string? Text(ReadOnlySpan<byte> address)
    {
        const int Unix = 1;
        if (address.Length < sizeof(ushort)) return null;
        if (MemoryMarshal.Read<ushort>(address) != Unix) return StreamSocket.EndPoint(address)?.ToString();
        var path = address[UnixPath..];

        // An abstract one begins with a zero and has no end but the address's.
        if (path.Length > 0 && path[0] == 0) return path.Length > 1 ? "@" + Encoding.UTF8.GetString(path[1..]).Split('\0')[0] : null;
        return path.IndexOf((byte)0) is >= 0 and var end ? Encoding.UTF8.GetString(path[..end]) : Encoding.UTF8.GetString(path);
    }

    private static string Short(string text) => text.Length <= MostText ? text : "…" + text[^(MostText - 1)..];
}
