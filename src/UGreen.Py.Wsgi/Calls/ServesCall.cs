using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary><c>_ugreen.serves(number)</c>: which of several applications has got this request; for figures and for the log.</summary>
internal sealed class ServesCall() : HubCall("serves", "serves(number, /)\n--\n\nThe number of the application that serves this request. For the dispatcher only.", Arity.Exactly(1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        WsgiApplication.RequestOf(green).Application = (int)Arg.Size(Name, args, 0);
        green.Result = PyFast.Singleton(PyConstants.None);
        return CallOutcome.Resume;
    }
}
