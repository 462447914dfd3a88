namespace UGreen.Py.Hub;

/// <summary>
/// Where a green thread is. Transitions: Free → Ready (spawn) → Running (resume) → Ready (yield) | Parked (park) | Free (exit); Parked → Ready (wake). Nothing else.
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
}
