using UGreen.Py.CPython;
using UGreen.Py.Hub;
using UGreen.Py.Wsgi.Control;

namespace UGreen.Py.Wsgi.Calls.Server;

/// <summary><c>_ugreen.source_changed(path)</c>: tells the master of a source file that has changed. Any thread.</summary>
internal sealed class SourceChangedCall(IServerControl control) : HubCall("source_changed",
    "source_changed(path, /)\n--\n\nTell the master that a source file has changed, so that it replaces all workers. Returns False when there is no master. Any thread may call.", Arity.Exactly(1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = Tell(args);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread) => Tell(args);

    private nint Tell(in HubCallArguments args)
    {
        var path = PyText.ToText(args.At(0)) ?? throw HubCallException.Type("source_changed(): path must be a str");
        return ServerCall.TrueOrFalse(control.SourceChanged(path)).Detach();
    }
}
