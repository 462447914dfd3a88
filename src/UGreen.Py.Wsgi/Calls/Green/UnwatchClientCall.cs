using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary><c>_ugreen.unwatch_client()</c>: takes back <see cref="WatchClientCall"/>.</summary>
internal sealed class UnwatchClientCall() : HubCall("unwatch_client",
    "unwatch_client()\n--\n\nTake back watch_client(). Returns True when its exception was not raised and will not be.", Arity.None)
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = PyFast.Singleton(WsgiApplication.RequestOf(green).ForgetDeparture() ? PyConstants.True : PyConstants.False);
        return CallOutcome.Resume;
    }
}
