using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary><c>uwsgi.set_user_harakiri(seconds)</c>: a limit of the application's own for the request that calls.</summary>
internal sealed class SetUserHarakiriCall(WsgiApplication application) : HubCall("set_user_harakiri",
    "set_user_harakiri(seconds, /)\n--\n\nLimit how long this request may go on from now, beside --harakiri; 0 takes the limit back. Over it, Harakiri is raised in it.\n\n"
    + "seconds may have fractions. The limit ends with the request. Returns None. Raises SystemError where there is no request.", Arity.Exactly(1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        application.Harakiri?.SetUser(WsgiApplication.RequestOf(green), Arg.Timeout(Name, args, 0));
        green.Result = PyFast.Singleton(PyConstants.None);
        return CallOutcome.Resume;
    }
}
