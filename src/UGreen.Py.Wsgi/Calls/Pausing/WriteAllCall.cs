using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Pausing;

/// <summary><c>uwsgi.green_write_all(data)</c>: one message for the clients of all paused requests. It waits for none of them. Any thread.</summary>
internal sealed class WriteAllCall(PausedRequests all, HubLoop hub) : HubCall("green_write_all",
    "green_write_all(data, /)\n--\n\nWrite data (str, sent as UTF-8, or bytes) into the response of every request of this worker that is in green_pause().\n\n"
    + "It does not wait: what a client does not take at once is sent later, and a client that is more than 64 KiB behind is given up. Returns None. Any thread may call.", Arity.Exactly(1))
{
    private readonly Message _message = new(all);

    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        all.WriteAll(Read(args));
        green.Result = PyFast.Singleton(PyConstants.None);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        var data = Read(args);
        if (onHubThread) all.WriteAll(data);
        else hub.Inbox.Post(_message, data, 0);
        return PyFast.Singleton(PyConstants.None);
    }

    // A copy, because it may still be on its way when Python has changed its own.
    private byte[] Read(in HubCallArguments args)
    {
        return Arg.Data(Name, "data", args, 0);
    }

    private sealed class Message(PausedRequests all) : IInboxReceiver
    {
        public void Receive(object? payload, long token) => all.WriteAll((byte[])payload!);
    }
}
