using UGreen.Py.Machine;

namespace UGreen.Py.Switching;

/// <summary>The second door into the hub, and C functions that stand before CPython's own.</summary>
// SAFETY: see GreenSwitch.OpenDoor.
public sealed unsafe class WaitDoor
{
    /// <summary>Where the methods expect the owner in the object of an RLock, in bytes.</summary>
    public const int RLockOwner = X64WaitDoor.Owner;

    private readonly CodePage _page;
    private readonly X64Code _code;
    private int _methods;

    internal WaitDoor(CodePage page, X64Code code) => (_page, _code) = (page, code);

    /// <summary>Where stubs go that would wait.</summary>
    public nint Address => _page.Address + _code.Labels[X64WaitDoor.Door];

    /// <summary>A function that gives the core's identity on a green stack and elsewhere calls CPython's own.</summary>
    /// <param name="own">CPython's get_ident.</param>
    public nint GetIdent(nint own)
    {
        *(nint*)(_page.Data + WaitDoorData.OwnIdent) = own;
        return _page.Address + _code.Labels[X64WaitDoor.GetIdent];
    }

    /// <summary>A method that calls CPython's own with the OS thread as the owner where the running core is it.</summary>
    /// <param name="own">CPython's method of RLock.</param>
    public nint Method(nint own)
    {
        int index = _methods++;
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, WaitDoorData.Methods);
        *(nint*)(_page.Data + WaitDoorData.OwnMethods + (index * sizeof(nint))) = own;
        return _page.Address + _code.Labels[X64WaitDoor.Method(index)];
    }
}
