using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;
using UGreen.Py.Switching;

namespace UGreen.Py.Wsgi.Calls.Server;

/// <summary><c>_ugreen.route_signal(signum)</c>: Python's handler of a POSIX signal has been set or taken away; see <see cref="SignalRelay"/>. For the shim.</summary>
internal sealed class RouteSignalCall() : HubCall("route_signal", "route_signal(signum, /)\n--\n\nHave the handler that Python has just installed run on the hub's OS thread, at once.", Arity.Exactly(1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = Route(args);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread) => Route(args);

    private static nint Route(in HubCallArguments args)
    {
        var number = CApi.PyLong_AsLongLongAndOverflow(args.At(0), out _);
        if (number == -1 && !CApi.PyErr_Occurred().IsNull) throw HubCallException.Pending();
        SignalRelay.Route((int)number);
        return PyFast.Singleton(PyConstants.None);
    }
}
