using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary><c>uwsgi.log(line)</c>: a line in the server's log. Returns True. Any thread.</summary>
internal sealed partial class LogCall(ILogger log) : HubCall("log", "log(line, /)\n--\n\nWrite a line to the server's log. Returns True. Raises TypeError when line is no str.", Arity.Exactly(1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = Write(args);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread) => Write(args);

    private nint Write(in HubCallArguments args)
    {
        Line(log, PyText.ToText(args.At(0)) ?? throw HubCallException.Type("log(): line must be a str"));
        return PyFast.Singleton(PyConstants.True);
    }

    [LoggerMessage(EventId = 210, Level = LogLevel.Information, Message = "{Line}")]
    private static partial void Line(ILogger log, string line);
}
