namespace UGreen.Py.Front.Sockets;

/// <summary>
/// Lets processes that accept from the same sockets get about as many connections each. Without it the one that happens to be quickest takes most of a burst, and connections are
/// kept for long. Any thread.
/// </summary>
public interface IConnectionShare
{
    /// <summary>This process has more connections than another one that accepts: it lets the others go first for a moment.</summary>
    bool IsAhead { get; }

    /// <summary>A connection was accepted here.</summary>
    void Opened();

    /// <summary>It has ended.</summary>
    void Closed();
}
