using UGreen.Py.CPython;
using UGreen.Py.Hub.Blocking;

namespace UGreen.Py.Hub;

/// <summary>
/// What only some green threads ever use, kept apart from <see cref="GreenThread"/>: that object is touched at every switch, and with thousands of them its size decides how many
/// fit into the processor's caches.
/// </summary>
internal sealed class GreenExtras(GreenThread green, FdTable fds, TimerHeap timers, IClock clock)
{
    private WaitSet? _oneWait;

    public PermitWait Permit { get; } = new(green, timers, clock);

    public WaitSet OneWait => _oneWait ??= new WaitSet(green, fds, timers, clock, ParkReason.OneFd);

    /// <inheritdoc cref="GreenThread.Blocking"/>
    public BlockingWait? Blocking { get; set; }

    /// <inheritdoc cref="GreenThread.IsTold"/>
    public bool IsTold { get; set; }

    /// <summary>The exception that waits to be raised; NULL: none.</summary>
    public NewRef Interrupt { get; set; }

    /// <summary>A Python list of the objects that this green thread keeps until it has ended; NULL: none.</summary>
    public NewRef Kept { get; set; }

    /// <summary>The green thread has finished; nothing of it may reach the next on its core.</summary>
    public void Clear()
    {
        _oneWait?.Clear();
        Permit.Clear();
    }
}
