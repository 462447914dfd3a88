using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary>
/// <c>_ugreen.watch_client(exception)</c>: from now on a departed client raises this exception in the request's green thread, whatever it waits for; what
/// <c>ugreen.while_connected()</c> is made of.
/// </summary>
internal sealed class WatchClientCall() : HubCall("watch_client",
    "watch_client(exception, /)\n--\n\nRaise an exception object in this green thread, where it waits, when the client of its request goes away: at once when it has gone already.\n\n"
    + "Returns False, and changes nothing, when another one is set.", Arity.Exactly(1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var request = WsgiApplication.RequestOf(green);
        var exception = Arg.Exception(Name, args, 0);
        if (request.ClientGone) throw HubCallException.Object(exception);
        green.Result = PyFast.Singleton(request.TellDeparture(exception) ? PyConstants.True : PyConstants.False);
        return CallOutcome.Resume;
    }
}
