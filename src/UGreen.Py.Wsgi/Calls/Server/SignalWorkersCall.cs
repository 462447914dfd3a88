using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;
using UGreen.Py.Wsgi.Control;

namespace UGreen.Py.Wsgi.Calls.Server;

/// <summary><c>_ugreen.signal_workers(number, worker)</c>: sends a signal of the uwsgi module to other workers. Any thread.</summary>
internal sealed class SignalWorkersCall(IServerControl control) : HubCall("signal_workers",
    "signal_workers(number, worker, /)\n--\n\nSend a signal to another worker, by its number, or with 0 to all others. Returns False when there is no master. Any thread may call.", Arity.Exactly(2))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = Send(args);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread) => Send(args);

    private nint Send(in HubCallArguments args)
    {
        var sent = control.Signal((int)Arg.Size(Name, args, 0), (int)Arg.Size(Name, args, 1));
        return ServerCall.TrueOrFalse(sent).Detach();
    }
}
