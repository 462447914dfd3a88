namespace UGreen.Py.Hub;

/// <summary>One timer of one owner, reused for every wait of that owner. Belongs to the hub thread.</summary>
public sealed class HubTimer(Action<HubTimer> fired, object owner)
{
    /// <summary>Position in the heap; -1 when not armed. Only <see cref="TimerHeap"/> writes it.</summary>
    internal int Index = -1;

    /// <summary>When it fires, on the hub's clock, in nanoseconds.</summary>
    public long Due { get; internal set; }

    /// <summary>Order of arming: of two timers with the same due time the one armed first fires first.</summary>
    internal long Sequence;

    public object Owner { get; } = owner;

    public bool IsArmed => Index >= 0;

    internal void Fire() => fired(this);
}
