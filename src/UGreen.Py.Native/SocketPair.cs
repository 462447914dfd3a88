namespace UGreen.Py.Native;

/// <summary>
/// Two connected Unix sockets that keep messages apart (SOCK_SEQPACKET), for a parent and a child: each write is one message, whole or not at all, whoever else writes. They never
/// block, and neither is inherited by itself.
/// </summary>
public static unsafe class SocketPair
{
    /// <exception cref="LinuxException">No descriptors.</exception>
    public static (int Mine, int Theirs) Create()
    {
        var pair = stackalloc int[2];
        // SAFETY: two ints are written.
        if (Libc.socketpair(Libc.Sharing.UnixFamily, Libc.Sharing.Messages, 0, pair) != 0) throw LinuxException.Last("socketpair");
        return (pair[0], pair[1]);
    }
}
