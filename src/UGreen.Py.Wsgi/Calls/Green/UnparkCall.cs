using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary><c>_ugreen.unpark(green_id)</c>: ends a <c>park()</c>, or the next one before it begins. Any thread. A green thread that has finished is nobody's mistake.</summary>
internal sealed class UnparkCall(HubLoop hub) : HubCall("unpark",
    "unpark(green_id, /)\n--\n\nEnd the park() of a green thread, or its next one before it begins. Nothing happens when it has finished. Any thread may call.", Arity.Exactly(1))
{
    private readonly Message _message = new(hub);

    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        hub.Find(Id(args))?.Permit.Release();
        green.Result = PyFast.Singleton(PyConstants.None);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        var id = Id(args);
        if (onHubThread) hub.Find(id)?.Permit.Release();
        else hub.Inbox.Post(_message, null, id);
        return PyFast.Singleton(PyConstants.None);
    }

    private long Id(in HubCallArguments args)
    {
        return Arg.GreenId(Name, args, 0);
    }

    private sealed class Message(HubLoop hub) : IInboxReceiver
    {
        public void Receive(object? payload, long token) => hub.Find(token)?.Permit.Release();
    }
}
