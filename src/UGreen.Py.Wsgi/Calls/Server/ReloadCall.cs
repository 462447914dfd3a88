using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.Hub;
using UGreen.Py.Wsgi.Control;

namespace UGreen.Py.Wsgi.Calls.Server;

/// <summary><c>uwsgi.reload()</c>: has the master replace all workers. Any thread.</summary>
internal sealed partial class ReloadCall(IServerControl control, ILogger log) : HubCall("reload",
    "reload(reason=None, /)\n--\n\nAsk the master to replace all workers, one after the other; no request is lost, also not this one. reason, a str, is for the log.\n\n"
    + "Returns True; None without a master (option --master), and then the log says so.", Arity.Between(0, 1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = Ask(args);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread) => Ask(args);

    private nint Ask(in HubCallArguments args)
    {
        var reason = args.Count == 0 || args.At(0) == PyConstants.None ? "uwsgi.reload()" : PyText.ToText(args.At(0)) ?? throw HubCallException.Type("reload(): reason must be a str");
        var asked = control.Reload(reason);
        if (!asked) NoMaster(log, reason);
        return PyFast.Singleton(asked ? PyConstants.True : PyConstants.None);
    }

    [LoggerMessage(EventId = 263, Level = LogLevel.Warning, Message = "cannot reload ({Reason}): there is no master, which replaces workers; start the server with --master")]
    private static partial void NoMaster(ILogger log, string reason);
}
