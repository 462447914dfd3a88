namespace UGreen.Py.Native;

/// <summary>What the kernel knows of a socket.</summary>
public static unsafe class SocketStatus
{
    /// <summary>True when <paramref name="fd"/> is a socket without a pending error (SO_ERROR is 0); reading it clears the error. False for anything that is no socket.</summary>
    public static bool HasNoError(int fd)
    {
        int error = 0;
        uint length = sizeof(int);

        // SAFETY: the kernel writes at most `length` bytes into the local.
        return Libc.getsockopt(fd, Libc.Socket.SolSocket, Libc.Socket.SoError, &error, &length) == 0 && error == 0;
    }
}
