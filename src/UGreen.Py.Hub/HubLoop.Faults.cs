using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;

namespace UGreen.Py.Hub;

/// <summary>How hub calls that fail are answered: as Python exceptions, and in the log when the fault is ours.</summary>
public sealed partial class HubLoop
{
    /// <summary>The answer to a hub call from outside any green thread; see <see cref="HubCallFallback"/>. Any thread that holds the GIL.</summary>
    public nint ServeOutside(int number, HubCallArguments args)
    {
        var call = Calls[number];
        try
        {
            call.CheckArity(args);
            return call.InvokeOutside(args, IsHubThread);
        }
#pragma warning disable CA1031 // nothing may escape into C
        catch (Exception error)
#pragma warning restore CA1031
        {
            Raise(call, error);
            return 0;
        }
    }

    private static HubInvariantException Contradiction(GreenThread green, CallOutcome outcome)
        => new($"green thread {green.Number} is {green.Status} after a hub call that ended with {outcome}");

    private CallOutcome Failed(GreenThread green, HubCall call, Exception error)
    {
        if (green.Status != GreenStatus.Running) throw new HubInvariantException($"the hub call {call.Name} parked green thread {green.Number} and then failed: {error.Message}");
        green.Result = 0;
        Raise(call, error);
        return CallOutcome.Resume;
    }

    /// <summary>The caller gets it as a Python exception. In the log it is only when the fault is ours: an error of Python's in the middle of a handler is the application's, or a lack of memory.</summary>
    private void Raise(HubCall call, Exception error)
    {
        if (error is HubCallException answer)
        {
            answer.Raise();
            return;
        }

        if (error is not PythonException) HandlerFailed(call.Name, error);
        HubCallException.Runtime($"{call.Name}: {error.Message}").Raise();
    }

    [LoggerMessage(EventId = 100, Level = LogLevel.Error, Message = "the hub call {Name} failed; the caller gets a RuntimeError")]
    private partial void HandlerFailed(string name, Exception error);
}
