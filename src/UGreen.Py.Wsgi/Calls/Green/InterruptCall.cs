using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary><c>_ugreen.interrupt(green_id, exception)</c>: raises an exception object in a green thread where it waits. Any thread.</summary>
internal sealed class InterruptCall(HubLoop hub) : HubCall("interrupt",
    "interrupt(green_id, exception, replace=False, /)\n--\n\nRaise an exception object in a green thread: where it waits, or in its next wait.\n\n"
    + "Returns False when it has finished or another exception is on its way, unless replace is true; from another thread always True. Any thread may call.", Arity.Between(2, 3))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var (id, exception, replace) = Read(args);
        green.Result = PyFast.Singleton(Deliver(hub, id, exception, replace) ? PyConstants.True : PyConstants.False);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        var (id, exception, replace) = Read(args);
        if (onHubThread) return PyFast.Singleton(Deliver(hub, id, exception, replace) ? PyConstants.True : PyConstants.False);
        hub.Inbox.Post(new Message(hub, exception, replace), null, id);
        return PyFast.Singleton(PyConstants.True);
    }

    internal static bool Deliver(HubLoop hub, long id, NewRef exception, bool replace = false)
    {
        if (hub.Find(id) is { } target) return target.Interrupt(exception, replace);
        exception.Dispose();
        return false;
    }

    private (long Id, NewRef Exception, bool Replace) Read(in HubCallArguments args)
    {
        var (id, replace) = (Arg.GreenId(Name, args, 0), Arg.Flag(args, 2));
        return (id, Arg.Exception(Name, args, 1), replace); // last, as it takes a reference
    }

    private sealed class Message(HubLoop hub, NewRef exception, bool replace) : IInboxReceiver
    {
        public void Receive(object? payload, long token) => Deliver(hub, token, exception, replace);
    }
}
