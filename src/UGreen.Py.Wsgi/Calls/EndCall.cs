using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary><c>_ugreen.end()</c>: the iterable is exhausted. Ends the response, or breaks it off when fewer bytes came than its Content-Length promised.</summary>
internal sealed partial class EndCall(ILogger log) : HubCall("end", "end()\n--\n\nThe body is complete. For the driver only.", Arity.None)
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        End(WsgiApplication.RequestOf(green));
        green.Result = PyFast.Singleton(PyConstants.None);
        return CallOutcome.Resume;
    }

    /// <summary>Ends the response of a request that still has one.</summary>
    public void End(WsgiRequest request)
    {
        if (request.Exchange is not { } exchange) return;
        if (request.State == ResponseState.None)
        {
            NoStartResponse(log, request.Title);
            request.FinishWith(500, "Internal Server Error");
            return;
        }

        var head = exchange.Head;
        var missing = request.IsBodyless ? 0 : (head.ContentLength ?? request.BytesOut) - request.BytesOut;
        if (request.State == ResponseState.Streaming)
        {
            if (missing > 0) TooShort(log, request.Title, missing);
            request.Finish(missing > 0 || request.ClientGone || request.IsBroken ? ExchangeOutcome.Aborted : ExchangeOutcome.Streamed);
            return;
        }

        if (missing > 0)
        {
            TooShort(log, request.Title, missing);
            request.FinishWith(500, "Internal Server Error");
            return;
        }

        if (!request.IsBodyless) head.ContentLength = 0;
        request.Finish(ExchangeOutcome.Whole);
    }

    [LoggerMessage(EventId = 220, Level = LogLevel.Error, Message = "{Title}: the application did not call start_response()")]
    private static partial void NoStartResponse(ILogger log, string title);

    [LoggerMessage(EventId = 221, Level = LogLevel.Error, Message = "{Title}: the application sent {Missing} bytes less than its Content-Length")]
    private static partial void TooShort(ILogger log, string title, long missing);
}
