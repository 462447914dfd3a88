using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary><c>_ugreen.park(timeout=None)</c>: waits for <c>unpark</c>. The package <c>ugreen</c> makes its events, locks and queues of the two.</summary>
internal sealed class ParkCall() : HubCall("park",
    "park(timeout=None, /)\n--\n\nWait until unpark() is called for this green thread. timeout is in seconds, None: no limit. Returns False when the time was over.", Arity.Between(0, 1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        return green.Permit.Wait(Arg.WaitTime(Name, args, 0));
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread) => throw HubCallException.Runtime("park() works on a green thread only");
}
