using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary><c>uwsgi.get_logvar(name)</c>: what <c>set_logvar()</c> set in this request, as bytes; None when it did not.</summary>
internal sealed class GetLogVarCall() : HubCall("get_logvar",
    "get_logvar(name, /)\n--\n\nThe value of a log variable of this request as bytes, or None when it was not set. name is str or bytes-like.\n\n"
    + "Raises RuntimeError once the response is complete, SystemError where there is no request.", Arity.Exactly(1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var exchange = LogThisRequestCall.ExchangeOf(green, Name);
        var value = exchange.LogNotes?.Find(Arg.Data(Name, "name", args, 0));
        green.Result = value is null ? PyFast.Singleton(PyConstants.None) : PyText.FromBytes(value).OrThrow().Detach();
        return CallOutcome.Resume;
    }
}
