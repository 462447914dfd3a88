namespace UGreen.Py.Hub;

/// <summary>
/// One green thread's interest in one direction of one fd. Reused: a green thread keeps its registrations for its next waits.
/// While <see cref="Entry"/> is set it is linked into that entry's list of readers or writers.
/// </summary>
public sealed class FdRegistration(IFdWaiter waiter)
{
    public IFdWaiter Waiter { get; } = waiter;

    public int Fd { get; internal set; }

    public FdDirection Direction { get; internal set; }

    /// <summary>The event came, and the waiter has not looked at it yet.</summary>
    public bool Fired { get; internal set; }

    /// <summary>What came was no event: the fd was closed.</summary>
    public bool IsClosed { get; internal set; }

    internal FdEntry? Entry;
    internal FdRegistration? Previous;
    internal FdRegistration? Next;
}
