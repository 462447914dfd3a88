using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Bench;

/// <summary>Knows when a green thread of a benchmark has ended, and how.</summary>
internal sealed class LoopOccupant : IGreenOccupant
{
    public bool HasEnded { get; private set; }

    public PythonException? Error { get; private set; }

    public void LeftCpu(GreenThread green)
    {
    }

    public void Exited(GreenThread green, nint result)
    {
        HasEnded = true;
        if (result == 0) Error = PythonException.Fetch();
        new NewRef(result).Dispose();
    }
}
