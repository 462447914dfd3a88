using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary><c>_ugreen.spawn(callable, daemon=False)</c>: what <c>ugreen.spawn</c> is made of. Any thread.</summary>
internal sealed class SpawnCall(SpawnedThreads spawned) : HubCall("spawn",
    "spawn(callable, daemon=False, /)\n--\n\nRun callable() on a free spawn core, without a request. Returns False when none is free.\n\n"
    + "A graceful stop of the server waits for it unless it is a daemon. Any thread may call. Raises RuntimeError once the server ends.", Arity.Between(1, 2))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var (callable, daemon) = Read(args);
        green.Result = PyFast.Singleton(spawned.TryStart(callable, daemon) ? PyConstants.True : PyConstants.False);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        var (callable, daemon) = Read(args);
        var started = onHubThread ? spawned.TryStart(callable, daemon) : spawned.TryStartFromOutside(callable, daemon);
        return PyFast.Singleton(started ? PyConstants.True : PyConstants.False);
    }

    private (NewRef Callable, bool Daemon) Read(in HubCallArguments args)
    {
        var callable = args.At(0);
        if (CApi.PyCallable_Check(callable) == 0) throw HubCallException.Type($"{Name}(): the argument must be callable");
        if (spawned.IsEnding) throw HubCallException.Runtime($"{Name}(): the server is stopping");
        var daemon = Arg.Flag(args, 1);
        CApi.Py_IncRef(callable);
        return (new NewRef(callable.Address), daemon);
    }
}
