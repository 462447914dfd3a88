using UGreen.Py.CPython.Api;

namespace UGreen.Py.CPython;

/// <summary>
/// While it lives, Python's collector does not begin, so C-API calls that only make built-in objects and read built-in attributes cannot run Python code: no finalizer, and
/// so nothing that lets go of the GIL. What else may run Python code (releasing a reference, calling an object, an attribute of somebody else's type) does not belong in it.
/// Any thread, with the GIL.
/// </summary>
public readonly ref struct CollectorPause : IDisposable
{
    private readonly bool _wasOn;

    private CollectorPause(bool wasOn) => _wasOn = wasOn;

    /// <summary>Stops the collector. One within another changes nothing.</summary>
    public static CollectorPause Begin() => new(CApi.PyGC_Disable() == 1);

    /// <summary>The collector is as it was.</summary>
    public void Dispose()
    {
        if (_wasOn) _ = CApi.PyGC_Enable();
    }
}
