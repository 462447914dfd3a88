using UGreen.Py.CPython;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary>
/// <c>_ugreen.respond(body)</c>: the application returned a list or tuple of one bytes object, so the whole body is known: head and body leave in one write, with a
/// Content-Length. Returns True when that is done; False when the driver must go the long way (something was written already, the body is large, or it is not bytes).
/// </summary>
internal sealed class RespondCall() : HubCall("respond", "respond(body, /)\n--\n\nSend the whole response at once if that is possible. For the driver only.", Arity.Exactly(1))
{
    // Larger bodies take the streaming way, whose copies are bounded and feel the client's pace.
    private const int WholeLimit = 64 * 1024;

    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        green.Result = PyFast.Singleton(TryRespond(WsgiApplication.RequestOf(green), args.At(0)) ? PyConstants.True : PyConstants.False);
        return CallOutcome.Resume;
    }

    private static bool TryRespond(WsgiRequest request, BorrowedRef body)
    {
        if (request.State != ResponseState.Head || !PyText.TryGetBytes(body, out var data)) return false;
        var exchange = request.Exchange!;
        var head = exchange.Head;
        if (request.IsBodyless)
        {
            if (exchange.Method == "HEAD" && !ResponseRules.HasNoBody(head.Status)) head.ContentLength ??= data.Length;
            request.Finish(ExchangeOutcome.Whole);
            return true;
        }

        head.ContentLength ??= data.Length;
        if (head.ContentLength > data.Length)
            throw HubCallException.Value($"the application sent {head.ContentLength - data.Length} bytes less than its Content-Length"); // before anything left, so it can be a 500
        if (head.ContentLength != data.Length || data.Length > WholeLimit) return false;
        data.CopyTo(exchange.SetWholeBody(data.Length));
        request.CountBody(data.Length);
        request.Finish(ExchangeOutcome.Whole);
        return true;
    }
}
