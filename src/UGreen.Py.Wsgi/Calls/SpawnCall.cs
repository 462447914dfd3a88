using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary>
/// <c>_ugreen.spawn(callable)</c>: runs a callable on a free core, without a request. Internal: the benchmarks and tests use it; it takes cores away from requests.
/// Raises RuntimeError when none is free.
/// </summary>
internal sealed class SpawnCall(WsgiApplication application) : HubCall("spawn",
    "spawn(callable, /)\n--\n\nRun callable() on a free core. Internal. Raises RuntimeError when no core is free.")
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        Arg.Count(Name, args, 1, 1);
        var callable = args.At(0);
        if (CApi.PyCallable_Check(callable) == 0) throw HubCallException.Type("spawn(): the argument must be callable");
        if (application.Hub.FreeCores == 0) throw HubCallException.Runtime("spawn(): no core is free");
        CApi.Py_IncRef(callable);
        application.Hub.TrySpawn(new Spawned(new NewRef(callable.Address)), callable);
        green.Result = PyFast.Singleton(PyConstants.None);
        return CallOutcome.Resume;
    }

    private sealed class Spawned(NewRef callable) : IGreenOccupant
    {
        public void LeftCpu(GreenThread green)
        {
        }

        public void Exited(GreenThread green, nint result)
        {
            // There is nobody to raise in: sys.unraisablehook shows it, as for an exception in a finalizer.
            if (result == 0) CApi.PyErr_WriteUnraisable(callable.Borrow());
            new NewRef(result).Dispose();
            callable.Dispose();
        }
    }
}
