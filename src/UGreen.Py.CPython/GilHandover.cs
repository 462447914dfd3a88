using System.Runtime.CompilerServices;
using UGreen.Py.CPython.Api;

namespace UGreen.Py.CPython;

/// <summary>
/// The GIL and the pending error around a wait in the middle of C code: most callers have released the GIL, some wait with it. Hub thread.
/// </summary>
// SAFETY: the function takes no argument and returns a pointer; three locals are handed to C by address for the length of a call.
public unsafe struct GilHandover
{
    // 3.13 gave it a public name and took the old one away.
    private static readonly delegate* unmanaged<nint> s_current = (delegate* unmanaged<nint>)LibPython.Symbol(Interpreter.Layout.CurrentFrame >= 0 ? "PyThreadState_GetUnchecked" : "_PyThreadState_UncheckedGet");

    private nint _type, _value, _trace;
    private bool _wasFree;

    /// <summary>Takes the GIL for the hub, if the caller has released it, and puts an error away that is set: errors are not exchanged at a switch.</summary>
    /// <param name="threadState">The hub thread's.</param>
    public void Take(nint threadState)
    {
        _wasFree = s_current() != threadState;
        if (_wasFree) CApi.PyEval_RestoreThread(threadState);
        if (CApi.PyErr_Occurred().IsNull) return;
        nint type, value, trace;
        CApi.PyErr_Fetch(&type, &value, &trace);
        (_type, _value, _trace) = (type, value, trace);
    }

    /// <summary>Puts everything back as the caller had it. Nothing of Python's may be called between this and the switch.</summary>
    public void GiveBack()
    {
        if (_type != 0)
        {
            CApi.PyErr_Restore(_type, _value, _trace);
            _type = _value = _trace = 0;
        }

        if (_wasFree) _ = CApi.PyEval_SaveThread();
    }
}
