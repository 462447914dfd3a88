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
        var (number, worker) = (Arg.Size(Name, args, 0), Arg.Size(Name, args, 1));
        if (number > byte.MaxValue) throw HubCallException.Value($"{Name}(): a signal is a number from 0 to 255");
        if (worker > control.WorkerCount) throw HubCallException.Value($"{Name}(): there is no worker {worker}");
        var sent = control.Signal((int)number, (int)worker);
        return ServerCall.TrueOrFalse(sent).Detach();
    }
}
