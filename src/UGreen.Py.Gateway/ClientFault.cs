namespace UGreen.Py.Gateway;

/// <summary>
/// Tells what a client has done from what we have: a front's body and output fail with <see cref="IOException"/> or <see cref="OperationCanceledException"/> when the client is
/// gone, or sends what is malformed, and with nothing else. Any other exception is a mistake of this program and must not look like a client that left.
/// </summary>
public static class ClientFault
{
    /// <summary>It is the client's, or the connection's.</summary>
    public static bool Is(Exception error) => error is IOException or OperationCanceledException;
}
