using System.Runtime.InteropServices;

namespace UGreen.Py.CPython;

/// <summary>
/// Where the trampoline goes when no green thread makes the call: another OS thread, Python code on the hub's main stack (import time, finalizers), or code that C# called on
/// a green stack (<see cref="HiddenCore"/>).
/// The caller holds the GIL and expects what any C function gives: a new reference, or NULL with an exception set.
/// </summary>
public static class HubCallFallback
{
    private static Func<int, HubCallArguments, nint>? s_handler;

    /// <summary>The C function pointer for the trampoline. <paramref name="handler"/> gets the hub call's number and arguments; it must not throw.</summary>
    // SAFETY: the address of a static UnmanagedCallersOnly method stays valid for the life of the process.
    public static unsafe nint Install(Func<int, HubCallArguments, nint> handler)
    {
        s_handler = handler;
        return (nint)(delegate* unmanaged<nint, nint, nint, nint, nint>)&Enter;
    }

    [UnmanagedCallersOnly, RunsOn(StackKinds.Main | StackKinds.Foreign | StackKinds.HiddenGreen)]
    private static nint Enter(nint self, nint args, nint nargs, nint kwnames)
        => s_handler!(HubCallFunctions.NumberOf(self), new HubCallArguments(args, nargs, kwnames));
}
