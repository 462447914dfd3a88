using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary><c>_ugreen.unwatch_client()</c>: takes back <see cref="WatchClientCall"/>.</summary>
internal sealed class UnwatchClientCall() : HubCall("unwatch_client",
    "unwatch_client()\n--\n\nTake back watch_client(). Returns True when its exception was not raised and will not be.\n\n"
    + "Raises what a wait within C was ended for in this green thread, if that has not been raised yet.", Arity.None)
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var request = WsgiApplication.RequestOf(green);
        var told = green.TakeTold();
        var early = request.ForgetDeparture();
        if (told is not null) throw told;
        green.Result = PyFast.Singleton(early ? PyConstants.True : PyConstants.False);
        return CallOutcome.Resume;
    }
}
