using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary><c>uwsgi.suspend()</c>: waits for what was registered; with nothing registered it lets the others run. Always True, as in uWSGI; arguments are ignored.</summary>
internal sealed class SuspendCall(string name, OutsideWaits outside) : HubCall(name,
    $"{name}()\n--\n\nWait until a registered file descriptor is ready or a registered time is over; with nothing registered, let the other green threads run once.\n\n"
    + "Returns True. ready_fd() tells which fd it was, or -1. In another OS thread it blocks that thread; while the application is imported, the start.", Arity.Any)
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = PyFast.Singleton(PyConstants.True);
        return green.Waits.Suspend();
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        outside.Suspend(Name, onHubThread);
        return PyFast.Singleton(PyConstants.True);
    }
}
