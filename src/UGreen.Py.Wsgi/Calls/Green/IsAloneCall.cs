using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary><c>_ugreen.is_alone()</c>, for the search for dead-locks. Any thread with the GIL.</summary>
internal sealed class IsAloneCall(HubLoop hub) : HubCall("is_alone",
    "is_alone()\n--\n\nWhether only green threads that run already could do anything: no timer is set, no request could begin, and no other thread runs Python code. Any thread may call.", Arity.None)
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = InvokeOutside(args, onHubThread: true);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
        => PyFast.Singleton(hub.FreeCores == 0 && hub.Timers.Count == 0 && !PyThreads.AreOthers() ? PyConstants.True : PyConstants.False);
}
