namespace UGreen.Py.Hub;

/// <summary>
/// What the hub knows of one fd number.
/// <para>
/// Invariant: <see cref="Generation"/> names the open file that the entry stands for. It grows whenever the fd number is found to mean another file than before, and
/// rides along in epoll's data, so that a late event of the old file is told from one of the new.
/// </para>
/// </summary>
internal sealed class FdEntry(int fd)
{
    public int Fd { get; } = fd;

    public uint Generation { get; set; }

    /// <summary>The fd is in the epoll set, as far as we know: the kernel takes it out by itself when the file is closed.</summary>
    public bool InEpoll { get; set; }

    public FdRegistration? Readers { get; private set; }

    public FdRegistration? Writers { get; private set; }

    public bool HasWaiters => Readers is not null || Writers is not null;

    public void Link(FdRegistration r)
    {
        var head = r.Direction == FdDirection.Read ? Readers : Writers;
        r.Entry = this;
        r.Previous = null;
        r.Next = head;
        if (head is not null) head.Previous = r;
        SetHead(r.Direction, r);
    }

    public void Unlink(FdRegistration r)
    {
        if (r.Previous is null) SetHead(r.Direction, r.Next);
        else r.Previous.Next = r.Next;
        if (r.Next is not null) r.Next.Previous = r.Previous;
        r.Entry = null;
        r.Previous = r.Next = null;
    }

    private void SetHead(FdDirection direction, FdRegistration? head)
    {
        if (direction == FdDirection.Read) Readers = head;
        else Writers = head;
    }
}
