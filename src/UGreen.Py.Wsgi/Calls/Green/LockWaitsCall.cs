using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary><c>_ugreen.lock_waits()</c>, for <c>ugreen.dump()</c> and the search for dead-locks. Any thread: the hub changes these tables with the GIL held only.</summary>
internal sealed class LockWaitsCall(HubLoop hub) : HubCall("lock_waits",
    "lock_waits()\n--\n\nThe green threads that wait for locks in calls of the C library: a list of (id, number, address, lock, owner, held_before, ends).\n\n"
    + "number tells waits apart. lock is the Lock or RLock, None where it is not known or none of Python's. owner is that of an RLock or a recursive mutex: a core's number, or -2 and less for a thread (-2 - its identity), "
    + "-1 for nobody. held_before is not 0 for a mutex, which a green thread with a lower id holds. ends: by a time or by another process. Any thread may call.", Arity.None)
{
    // Where CPython's own function that waits has pushed what it will need afterwards; a few calls lie between it and the top.
    private const int Words = 128;

    // What was found stays true as long as that wait goes on: the waiting code holds a reference. By the numbers of the waits.
    private Dictionary<long, nint> _found = [];
    private Dictionary<long, nint> _foundNow = [];

    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = InvokeOutside(args, onHubThread: true);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        using var pause = CollectorPause.Begin();
        var list = CApi.PyList_New(0).OrThrow();
        if (hub.LockWaits == 0 && !hub.Greens.Any(green => HubLoop.LockWaitOf(green) is not null)) return list.Detach();
        foreach (var green in hub.Greens)
        {
            if (HubLoop.LockWaitOf(green) is not { } wait) continue;
            using var entry = Describe(green, wait);
            if (CApi.PyList_Append(list.Borrow(), entry.Borrow()) < 0) throw HubCallException.Pending();
        }

        (_found, _foundNow) = (_foundNow, _found);
        _foundNow.Clear();
        return list.Detach();
    }

    private NewRef Find(GreenThread green, LockWait wait)
    {
        if (wait.IsMutex || wait.IsShared) return default;
        if (_found.TryGetValue(wait.Number, out var before))
        {
            _foundNow[wait.Number] = before;
            return PyLocks.Again(before);
        }

        Span<nint> words = stackalloc nint[Words];
        var found = PyLocks.Find(wait.Address, words[..green.CopyTop(words)]);
        if (!found.IsNull) _foundNow[wait.Number] = found.Address;
        return found;
    }

    private NewRef Describe(GreenThread green, LockWait wait)
    {
        var tuple = CApi.PyTuple_New(7).OrThrow();
        var found = Find(green, wait);
        Put(0, CApi.PyLong_FromLongLong(green.Id).OrThrow());
        Put(1, CApi.PyLong_FromLongLong(wait.Number).OrThrow());
        Put(2, CApi.PyLong_FromLongLong(wait.Address).OrThrow());
        Put(4, CApi.PyLong_FromLongLong(Owner(found.IsNull ? wait.Owner : PyLocks.OwnerOf(found.Borrow()))).OrThrow());
        Put(3, found.IsNull ? new NewRef(PyFast.Singleton(PyConstants.None)) : found);
        Put(5, CApi.PyLong_FromLongLong(wait.HeldBefore).OrThrow());
        Put(6, new NewRef(PyFast.Singleton(wait.IsTimed || wait.IsShared ? PyConstants.True : PyConstants.False)));
        return tuple;

        void Put(nint index, NewRef value) => _ = CApi.PyTuple_SetItem(tuple.Borrow(), index, value.Detach());
    }

    private const long Nobody = -1;

    private long Owner(nint owner)
    {
        if (owner == 0) return Nobody;
        foreach (var green in hub.Greens)
        {
            if (green.Identity == owner) return green.Number;
        }

        return Nobody - 1 - owner;
    }
}
