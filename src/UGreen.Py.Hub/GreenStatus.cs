namespace UGreen.Py.Hub;

/// <summary>
/// Where a green thread is. Transitions: Free → Ready (spawn) → Running (resume) → Ready (yield) | Parked (park) | Ending (its function has returned); Parked → Ready (wake);
/// Ending → Free (what it left behind is released). Nothing else.
/// </summary>
public enum GreenStatus : byte
{
    /// <summary>The core has no green thread.</summary>
    Free,

    /// <summary>In the ready queue.</summary>
    Ready,

    /// <summary>On its stack, or its hub call is being served.</summary>
    Running,

    /// <summary>Waiting for one wake.</summary>
    Parked,

    /// <summary>Its function has returned. What it leaves behind is being released, which runs finalizers: for them it is gone already.</summary>
    Ending,
}
