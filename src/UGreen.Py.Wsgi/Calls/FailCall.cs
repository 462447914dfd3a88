using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary>
/// <c>_ugreen.fail(traceback)</c>: the application raised. Before the headers were sent the client gets a 500; after them the connection is broken off, so that nobody takes
/// half a response for a whole one. When the cause is that the client left, the log says only that, at debug level.
/// </summary>
internal sealed partial class FailCall(WsgiApplication application, ILogger log) : HubCall("fail",
    "fail(traceback, harakiri=False, /)\n--\n\nThe application raised; traceback is its text, harakiri says whether it was ended by us. For the driver only.", Arity.Between(1, 2))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var request = WsgiApplication.RequestOf(green);
        var traceback = (PyText.ToText(args.At(0)) ?? "(the traceback could not be formatted)").TrimEnd();
        if (Arg.Flag(args, 1))
        {
            TooLong(request, green.Number, traceback);
            green.Result = PyFast.Singleton(PyConstants.None);
            return CallOutcome.Resume;
        }

        var fault = request.Exchange?.FaultStatus ?? 0;
        if (fault != 0 && request.BodyFault is { } text && traceback.Contains(text, StringComparison.Ordinal))
        {
            // What the client did wrong is in the log already. Only an error that came of it, in the application's own handling, is news.
            if (!LastLine(traceback).Contains(text, StringComparison.Ordinal)) Raised(request, traceback);
            else ClientLeft(log, request.Title, LastLine(traceback));
            Answer(request, fault);
            green.Result = PyFast.Singleton(PyConstants.None);
            return CallOutcome.Resume;
        }

        var isGone = request.ClientGone || request.Exchange?.ClientGone.IsCancellationRequested == true;
        if (isGone) ClientLeft(log, request.Title, LastLine(traceback));
        else Raised(request, traceback);

        // Nobody is there to be told 500, and the access log shall not say that somebody was.
        if (isGone || request.State == ResponseState.Streaming) request.Finish(ExchangeOutcome.Aborted);
        else request.FinishWith(500, "Internal Server Error");
        green.Result = PyFast.Singleton(PyConstants.None);
        return CallOutcome.Resume;
    }

    // The application may raise it, too, where no limit was exceeded; the log then has the time and the place all the same.
    private void TooLong(WsgiRequest request, int core, string traceback)
    {
        request.Limits?.Told();
        Harakiri(log, request.Title, core, (application.Clock.Now - request.Began) / 1e9, traceback);
        var isGone = request.ClientGone || request.Exchange?.ClientGone.IsCancellationRequested == true;
        if (isGone || request.State == ResponseState.Streaming) request.Finish(ExchangeOutcome.Aborted);
        else request.FinishWith(504, "Gateway Timeout");
    }

    private void Raised(WsgiRequest request, string traceback)
    {
        request.Failed();
        ApplicationFailed(log, request.Title, traceback);
    }

    private static void Answer(WsgiRequest request, int fault)
    {
        // 499: nobody is there to be told.
        if (request.State == ResponseState.Streaming || fault == 499) request.Finish(ExchangeOutcome.Aborted);
        else request.FinishWith(fault, s_texts.GetValueOrDefault(fault, "Bad Request"));
    }

    private static readonly Dictionary<int, string> s_texts = new() { [408] = "Request Timeout", [413] = "Content Too Large", [431] = "Request Header Fields Too Large" };

    private static string LastLine(string text) => text[(text.LastIndexOf('\n') + 1)..];

    [LoggerMessage(EventId = 230, Level = LogLevel.Error, Message = "{Title}: the application raised\n{Traceback}")]
    private static partial void ApplicationFailed(ILogger log, string title, string traceback);

    [LoggerMessage(EventId = 280, Level = LogLevel.Error, Message = "harakiri: {Title} on core {Core} took too long and was ended after {Seconds:0.###} s\n{Traceback}")]
    private static partial void Harakiri(ILogger log, string title, int core, double seconds, string traceback);

    [LoggerMessage(EventId = 231, Level = LogLevel.Debug, Message = "{Title}: the client went away ({Error})")]
    private static partial void ClientLeft(ILogger log, string title, string error);
}
