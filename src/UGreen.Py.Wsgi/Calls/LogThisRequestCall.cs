using UGreen.Py.CPython;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary><c>uwsgi.log_this_request()</c>: this request has its line in the log although <c>--disable-logging</c> says no. Returns None.</summary>
internal sealed class LogThisRequestCall() : HubCall("log_this_request",
    "log_this_request()\n--\n\nWrite this request's line in the log, also with --disable-logging.\n\n"
    + "Raises RuntimeError once the response is complete, SystemError where there is no request.", Arity.Any)
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        ExchangeOf(green, Name).MakeLogNotes().IsWanted = true;
        green.Result = PyFast.Singleton(PyConstants.None);
        return CallOutcome.Resume;
    }

    /// <summary>The exchange of this request, while the front has not got it back.</summary>
    /// <exception cref="HubCallException">There is no request, or its response is complete: the front writes its line just now, or has.</exception>
    public static GatewayExchange ExchangeOf(GreenThread green, string function)
        => WsgiApplication.RequestOf(green).Exchange ?? throw HubCallException.Runtime($"{function}(): the response is complete, so its line in the log may be written already");
}
