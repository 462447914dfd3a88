using System.Runtime.InteropServices;
using UGreen.Py.CPython.Api;

namespace UGreen.Py.CPython;

/// <summary>
/// A call that Python makes on its main thread, which is the hub's, between two bytecodes of whatever code runs there. It may be asked for by any thread, without the GIL.
/// It runs on the stack of that code, with the GIL held, so what it finds to be running is what an exception from it would be raised in.
/// </summary>
// SAFETY: the addresses of static UnmanagedCallersOnly methods, and of the emitted code before them, stay valid for the life of the process.
public static unsafe class PendingCall
{
    private static Func<bool>[] s_handlers = [];
    private static nint s_cell;
    private static int s_isPosted;
    private static delegate* unmanaged<nint, int> s_entry = &Enter;

    /// <summary>It was asked for and has not begun: the hub thread runs no bytecode.</summary>
    public static bool IsPosted => Volatile.Read(ref s_isPosted) == 1;

    /// <summary>Adds what is called: true says that a Python exception is set, which is then raised there, and those added later are not asked. It must not throw.</summary>
    /// <param name="cell">Address of the trampoline's word that says which core runs.</param>
    /// <param name="handler">Whatever it calls of Python's, no hub call from there switches.</param>
    public static void Install(nint cell, Func<bool> handler) => (s_cell, s_handlers) = (cell, [.. s_handlers, handler]);

    /// <summary>Lets Python call through other code, which gets the address of the C function int (void*) behind this and gives its own.</summary>
    public static void Through(Func<nint, nint> guard) => s_entry = (delegate* unmanaged<nint, int>)guard((nint)(delegate* unmanaged<nint, int>)&Enter);

    /// <summary>The same as <see cref="TryPost"/> for the hub thread, which need not be made to look.</summary>
    // SAFETY: see the type.
    public static void PostHere()
    {
        if (Interlocked.Exchange(ref s_isPosted, 1) == 1) return;
        if (CApi.Py_AddPendingCall(s_entry, 0) != 0) Volatile.Write(ref s_isPosted, 0);
    }

    /// <summary>Asks for one call. False when one is on its way already, or Python's own list of them is full.</summary>
    public static bool TryPost()
    {
        if (Interlocked.Exchange(ref s_isPosted, 1) == 1) return false;
        if (CApi.Py_AddPendingCall(s_entry, 0) == 0)
        {
            Nudge();
            return true;
        }

        Volatile.Write(ref s_isPosted, 0);
        return false;
    }

    // CPython 3.11 decides in the thread that posts whether the main thread must look, and then it need not: only a thread that asks for the GIL makes it. It looks at its
    // pending calls before it lets go of the GIL. On a thread of its own, because a C call may keep the GIL for as long as it likes. One for each call that was posted: a thread
    // that asked for an earlier one may have had the GIL already. They do not heap up, as the next call is posted only when this one was served.
    private static void Nudge()
    {
        var thread = new Thread(static () => CApi.PyGILState_Release(CApi.PyGILState_Ensure())) { Name = "ugreen nudge", IsBackground = true };
        thread.Start();
    }

    [UnmanagedCallersOnly, RunsOn(StackKinds.Main | StackKinds.Green)]
    private static int Enter(nint argument)
    {
        using var hidden = HiddenCore.Begin(s_cell);
        Volatile.Write(ref s_isPosted, 0);
        foreach (var handler in s_handlers)
        {
            if (handler()) return -1;
        }

        return 0;
    }
}
