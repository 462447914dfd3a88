using UGreen.Py.CPython;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary>
/// <c>uwsgi.disconnect()</c>: the response ends here, as it would at the end of the iterable, and with it the client's connection; the application goes on without a client.
/// With no response begun the connection just ends.
/// </summary>
internal sealed class DisconnectCall(EndCall end) : HubCall("disconnect",
    "disconnect()\n--\n\nEnd the response and the client's connection; this code goes on. Sending more raises OSError afterwards. Returns None.\n\nRaises SystemError where there is no request.", Arity.Any)
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var request = WsgiApplication.RequestOf(green);
        if (request.Exchange is { } exchange)
        {
            exchange.ClosesConnection = true;
            if (request.State == ResponseState.None) request.Finish(ExchangeOutcome.Aborted);
            else end.End(request);
        }

        request.LostClient();
        green.Result = PyFast.Singleton(PyConstants.None);
        return CallOutcome.Resume;
    }
}
