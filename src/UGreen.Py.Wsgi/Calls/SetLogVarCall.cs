using UGreen.Py.CPython;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary><c>uwsgi.set_logvar(name, value)</c>: a variable of this request for <c>--log-format</c> and <c>--log-json</c>. Both are str or bytes-like. Returns None.</summary>
internal sealed class SetLogVarCall() : HubCall("set_logvar",
    "set_logvar(name, value, /)\n--\n\nSet a variable of this request's line in the log: %(name) in --log-format. Both are str or bytes-like.\n\n"
    + "Raises ValueError for an empty name and for more than 64 variables, RuntimeError once the response is complete, SystemError where there is no request.", Arity.Exactly(2))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var exchange = LogThisRequestCall.ExchangeOf(green, Name);
        var name = Arg.Data(Name, "name", args, 0);
        var value = Arg.Data(Name, "value", args, 1);
        if (name.Length == 0) throw HubCallException.Value("set_logvar(): the name is empty");
        if (!exchange.MakeLogNotes().TrySet(name, value)) throw HubCallException.Value($"set_logvar(): this request has {LogNotes.MaxVariables} log variables already");
        green.Result = PyFast.Singleton(PyConstants.None);
        return CallOutcome.Resume;
    }
}
