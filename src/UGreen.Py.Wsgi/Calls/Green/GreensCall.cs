using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary>
/// <c>_ugreen.greens()</c>: all green threads that live, for <c>ugreen.dump()</c>. Any thread: the hub changes these tables with the GIL held only.
/// </summary>
internal sealed class GreensCall(HubLoop hub) : HubCall("greens",
    "greens(green_id=None, /)\n--\n\nAll green threads, or only the one with that number: a list of (id, core, state, request, frame). state says what it does or waits for.\n\n"
    + "request is method and target of the request that it runs, None for a spawned function. frame is where its Python code is, None before it begins. Any thread may call.", Arity.Between(0, 1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = InvokeOutside(args, onHubThread: true);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        var list = CApi.PyList_New(0).OrThrow();
        if (args.Count == 1 && args.At(0) != PyConstants.None)
        {
            if (hub.Find(Arg.GreenId(Name, args, 0)) is { } only) Add(list, only);
            return list.Detach();
        }

        foreach (var green in hub.Greens)
        {
            if (green.IsAlive) Add(list, green);
        }

        return list.Detach();
    }

    private void Add(NewRef list, GreenThread green)
    {
        using var entry = Describe(green);
        if (CApi.PyList_Append(list.Borrow(), entry.Borrow()) < 0) throw HubCallException.Pending();
    }

    private NewRef Describe(GreenThread green)
    {
        var tuple = CApi.PyTuple_New(5).OrThrow();
        var frame = hub.FrameOf(green);
        Put(0, CApi.PyLong_FromLongLong(green.Id).OrThrow());
        Put(1, CApi.PyLong_FromLongLong(green.Number).OrThrow());
        Put(2, PyText.FromText(StateOf(green)).OrThrow());
        Put(3, green.Occupant is WsgiRequest request ? PyText.FromText(request.Title).OrThrow() : None());
        Put(4, frame.IsNull ? None() : frame);
        return tuple;

        void Put(nint index, NewRef value) => _ = CApi.PyTuple_SetItem(tuple.Borrow(), index, value.Detach());
    }

    private static string StateOf(GreenThread green) => green.Status switch
    {
        GreenStatus.Running => "running",
        GreenStatus.Ready => "ready to run",
        _ when HubLoop.DescribeBlocking(green) is { } call => "in " + call,
        _ when green.IsParkedFor(ParkReason.Suspended) => "in suspend()",
        _ when green.IsParkedFor(ParkReason.OneFd) => "waits for a file descriptor",
        _ when green.IsParkedFor(ParkReason.Permit) => "waits for another thread or a time",
        _ => "waits for its client",
    };

    private static NewRef None() => new(PyFast.Singleton(PyConstants.None));
}
