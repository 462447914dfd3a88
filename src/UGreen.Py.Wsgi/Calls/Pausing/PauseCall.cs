using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Pausing;

/// <summary><c>uwsgi.green_pause(timeout)</c>: waits for <c>green_unpause_all()</c>; meanwhile <c>green_write_all()</c> of other green threads writes to this request's client.</summary>
internal sealed partial class PauseCall(PausedRequests all, WsgiApplication application, ILogger log) : HubCall("green_pause",
    "green_pause(timeout, /)\n--\n\nWait until green_unpause_all() is called or the time is over; meanwhile the client gets what green_write_all() writes.\n\n"
    + "timeout is in seconds (fractions count); 0 or less means none. Returns True; None when the client is gone, or was not sent something that was written to it.\n"
    + "Afterwards all that was written to the client has been taken by it.", Arity.Exactly(1))
{
    private readonly Action<PausedRequest, long> _tooSlow = (paused, behind) => TooSlow(log, paused.Title, behind, PausedRequest.BacklogLimit);

    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var timeout = Arg.Timeout(Name, args, 0, "timeout");
        var request = WsgiApplication.RequestOf(green);
        if (request.ClientGone)
        {
            // A loop around the pause that does not look at the answer must not stop everybody else.
            green.Result = PyFast.Singleton(PyConstants.None);
            return CallOutcome.Yield;
        }

        request.Paused = new PausedRequest(request, green.Park(this, ParkReason.Operation), all, application, _tooSlow);
        request.Pending = PendingOperation.Pause;
        if (timeout > 0) request.Paused.Arm(timeout);
        return CallOutcome.Park;
    }

    /// <summary>The pause is over, and nothing of it is under way.</summary>
    public override CallOutcome Continue(GreenThread green, WakeCause cause)
    {
        var request = WsgiApplication.RequestOf(green);
        var hasFailed = request.Paused!.HasFailed;
        request.Paused = null;
        request.Pending = PendingOperation.None;
        if (green.TakeInterrupt() is { } interrupt) throw interrupt;
        green.Result = PyFast.Singleton(hasFailed ? PyConstants.None : PyConstants.True);
        return CallOutcome.Resume;
    }

    [LoggerMessage(EventId = 260, Level = LogLevel.Information, Message = "{Title}: the client reads too slowly for green_write_all(): it is {Behind} bytes behind (limit {Limit}), and given up")]
    private static partial void TooSlow(ILogger log, string title, long behind, int limit);
}
