using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi;

/// <summary>
/// The functions that the application has spawned: they run on spawn cores, without a request. A graceful stop waits for those that are no daemons, as it waits for requests, and
/// then kills what is left. Hub thread, unless a member says otherwise.
/// </summary>
internal sealed class SpawnedThreads(HubLoop hub, WsgiApplication application) : IInboxReceiver
{
    private TaskCompletionSource? _allGone;
    private int _running;
    private int _announced;

    /// <summary>True once all of them were told to end: no more may begin.</summary>
    public bool IsEnding => _allGone is not null;

    /// <summary>Starts a function on a free spawn core; it first runs in the next pass.</summary>
    /// <param name="callable">A Python callable without arguments; taken over.</param>
    /// <param name="daemon">A graceful stop does not wait for it.</param>
    /// <returns>False: no core is free.</returns>
    public bool TryStart(NewRef callable, bool daemon)
    {
        var spawned = new Spawned(this, callable) { IsDaemon = daemon };
        if (FreeCores() <= 0 || !hub.TrySpawn(spawned, callable.Borrow(), CoreKind.Spawn))
        {
            callable.Dispose();
            return false;
        }

        Started(spawned);
        return true;
    }

    /// <summary>The same for another OS thread, which holds the GIL.</summary>
    public bool TryStartFromOutside(NewRef callable, bool daemon)
    {
        // The hub thread changes what is free only with the GIL held, as does whoever announces one.
        if (FreeCores() <= 0)
        {
            callable.Dispose();
            return false;
        }

        _announced++;
        hub.Inbox.Post(this, new Spawned(this, callable) { IsDaemon = daemon }, 0);
        return true;
    }

    /// <summary>Any thread: raises <c>ugreen.GreenExit</c> in all of them; the task is done when the last has ended.</summary>
    public Task KillAllAsync()
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        hub.Inbox.Post(this, gone, 0);
        return gone.Task;
    }

    void IInboxReceiver.Receive(object? payload, long token)
    {
        if (payload is Spawned announced)
        {
            _announced--;
            if (IsEnding || !hub.TrySpawn(announced, announced.Callable, CoreKind.Spawn)) announced.Drop();
            else Started(announced);
            return;
        }

        _allGone = (TaskCompletionSource)payload!;
        foreach (var green in hub.Greens)
        {
            if (green.Occupant is Spawned) green.Interrupt(GreenExit(), replace: true);
        }

        if (_running == 0) _allGone.TrySetResult();
    }

    private static NewRef GreenExit()
    {
        using var module = CApi.PyImport_ImportModule("ugreen._green").OrThrow();
        using var type = CApi.PyObject_GetAttrString(module.Borrow(), "GreenExit").OrThrow();
        return CApi.PyObject_CallNoArgs(type.Borrow()).OrThrow();
    }

    private int FreeCores() => hub.FreeOf(CoreKind.Spawn) - _announced;

    private void Started(Spawned spawned)
    {
        _running++;
        if (!spawned.IsDaemon) application.Entered();
    }

    private void Count(bool daemon)
    {
        if (daemon) application.Left();
        else application.Entered();
    }

    private void Ended(Spawned spawned)
    {
        _running--;
        if (!spawned.IsDaemon) application.Left();
        if (_running == 0) _allGone?.TrySetResult();
    }

    /// <summary>One of them.</summary>
    internal sealed class Spawned(SpawnedThreads owner, NewRef callable) : IGreenOccupant
    {
        public bool IsDaemon { get; set; }

        public BorrowedRef Callable => callable.Borrow();

        /// <summary>It never began.</summary>
        public void Drop() => callable.Dispose();

        /// <summary>It has begun; a graceful stop now waits for it, or no longer.</summary>
        public void ChangeDaemon(bool daemon)
        {
            if (daemon == IsDaemon) return;
            IsDaemon = daemon;
            owner.Count(daemon);
        }

        void IGreenOccupant.LeftCpu(GreenThread green)
        {
        }

        void IGreenOccupant.Exited(GreenThread green, nint result)
        {
            // The shim's own function, which catches everything; should it fail, sys.unraisablehook shows it, as for an exception in a finalizer.
            if (result == 0) CApi.PyErr_WriteUnraisable(callable.Borrow());
            new NewRef(result).Dispose();
            callable.Dispose();
            owner.Ended(this);
        }
    }
}
