using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Pausing;

/// <summary><c>uwsgi.green_unpause_all()</c>: every paused request of this worker goes on. Any thread. As in uWSGI, arguments are ignored.</summary>
internal sealed class UnpauseAllCall(PausedRequests all, HubLoop hub) : HubCall("green_unpause_all",
    "green_unpause_all()\n--\n\nEnd the green_pause() of every request of this worker. Returns None. Any thread may call.", Arity.Any)
{
    private readonly Message _message = new(all);

    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        all.ReleaseAll();
        green.Result = PyFast.Singleton(PyConstants.None);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        if (onHubThread) all.ReleaseAll();
        else hub.Inbox.Post(_message, null, 0);
        return PyFast.Singleton(PyConstants.None);
    }

    private sealed class Message(PausedRequests all) : IInboxReceiver
    {
        public void Receive(object? payload, long token) => all.ReleaseAll();
    }
}
