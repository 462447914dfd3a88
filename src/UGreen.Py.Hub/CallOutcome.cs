namespace UGreen.Py.Hub;

/// <summary>What becomes of a green thread after its hub call was served.</summary>
public enum CallOutcome
{
    /// <summary>It goes on at once; the result is in <see cref="GreenThread.Result"/> (0: a Python exception is set).</summary>
    Resume,

    /// <summary>It goes on after all others that are ready; the result is set already.</summary>
    Yield,

    /// <summary>It waits until somebody wakes it: <see cref="GreenThread.Park"/> was called.</summary>
    Park,
}
