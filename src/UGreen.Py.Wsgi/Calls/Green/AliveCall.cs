using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary><c>_ugreen.alive(green_id)</c>: whether that green thread has not finished. Any thread: the hub changes this with the GIL held only.</summary>
internal sealed class AliveCall(HubLoop hub) : HubCall("alive", "alive(green_id, /)\n--\n\nWhether that green thread has not finished. Any thread may call.", Arity.Exactly(1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = InvokeOutside(args, onHubThread: true);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        return PyFast.Singleton(hub.Find(Arg.GreenId(Name, args, 0)) is null ? PyConstants.False : PyConstants.True);
    }
}
