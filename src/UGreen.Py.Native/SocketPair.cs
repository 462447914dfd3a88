namespace UGreen.Py.Native;

/// <summary>Two connected Unix stream sockets, for a parent and a child. Neither is inherited by itself.</summary>
public static unsafe class SocketPair
{
    /// <exception cref="LinuxException">No descriptors.</exception>
    public static (int Mine, int Theirs) Create()
    {
        var pair = stackalloc int[2];
        // SAFETY: two ints are written.
        if (Libc.socketpair(Libc.Sharing.UnixFamily, Libc.Sharing.StreamCloseOnExec, 0, pair) != 0) throw LinuxException.Last("socketpair");
        return (pair[0], pair[1]);
    }
}
