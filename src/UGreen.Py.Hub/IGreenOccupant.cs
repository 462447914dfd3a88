namespace UGreen.Py.Hub;

/// <summary>What a green thread runs for: a request, a spawned function. The hub knows nothing else of it.</summary>
public interface IGreenOccupant
{
    /// <summary>The green thread left the CPU (parked or yielded) for the first time. Hub thread.</summary>
    void LeftCpu(GreenThread green);

    /// <summary>
    /// The green thread is parked for an operation and shall be interrupted: end the operation early if that can be done, so that its continuation runs. Hub thread.
    /// </summary>
    void CancelOperation(GreenThread green)
    {
    }

    /// <summary>
    /// The green thread has finished; its core is free when this returns. Hub thread; the green thread's Python state is still in.
    /// </summary>
    /// <param name="green">The green thread.</param>
    /// <param name="result">What its callable returned (a new reference that the occupant takes over); 0 when it ended with an exception, which is set.</param>
    void Exited(GreenThread green, nint result);
}
