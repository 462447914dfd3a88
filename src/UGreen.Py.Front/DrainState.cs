namespace UGreen.Py.Front;

/// <summary>Whether a front is leaving: each response reads it, on whatever thread writes its head.</summary>
internal sealed class DrainState
{
    private volatile bool _hasBegun;

    public bool HasBegun => _hasBegun;

    public void Begin() => _hasBegun = true;
}
