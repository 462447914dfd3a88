using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary><c>_ugreen.set_daemon(green_id, daemon)</c>: whether a graceful stop waits for a spawned green thread that has begun. Any thread.</summary>
internal sealed class DaemonCall(HubLoop hub) : HubCall("set_daemon",
    "set_daemon(green_id, daemon, /)\n--\n\nSay whether a graceful stop of the server does without waiting for a spawned green thread. Any thread may call.", Arity.Exactly(2))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = InvokeOutside(args, onHubThread: true);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        var id = Arg.GreenId(Name, args, 0);
        var daemon = Arg.Flag(args, 1);
        if (onHubThread) Change(hub, id, daemon);
        else hub.Inbox.Post(new Message(hub, daemon), null, id);
        return PyFast.Singleton(PyConstants.None);
    }

    private static void Change(HubLoop hub, long id, bool daemon) => (hub.Find(id)?.Occupant as SpawnedThreads.Spawned)?.ChangeDaemon(daemon);

    private sealed class Message(HubLoop hub, bool daemon) : IInboxReceiver
    {
        public void Receive(object? payload, long token) => Change(hub, token, daemon);
    }
}
