using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;

namespace UGreen.Py.Hub;

/// <summary>How hub calls that fail are answered: as Python exceptions, and in the log when the fault is ours.</summary>
public sealed partial class HubLoop
{
    /// <summary>The answer to a hub call from outside any green thread; see <see cref="HubCallFallback"/>. Any thread that holds the GIL.</summary>
    public nint ServeOutside(int number, HubCallArguments args)
    {
        try
        {
            return Calls[number].InvokeOutside(args, IsHubThread);
        }
        catch (HubCallException error)
        {
            error.Raise();
        }
        catch (PythonException error)
        {
            HubCallException.Runtime(error.Message).Raise();
        }
#pragma warning disable CA1031 // nothing may escape into C; the caller's request gets it as a RuntimeError and the log has the rest
        catch (Exception error)
#pragma warning restore CA1031
        {
            HandlerFailed(Calls[number].Name, error);
            HubCallException.Runtime($"{Calls[number].Name}: {error.Message}").Raise();
        }

        return 0;
    }

    private static HubInvariantException Contradiction(GreenThread green, CallOutcome outcome)
        => new($"green thread {green.Number} is {green.Status} after a hub call that ended with {outcome}");

    private CallOutcome Failed(GreenThread green, HubCall call, Exception error)
    {
        if (green.Status != GreenStatus.Running) throw new HubInvariantException($"the hub call {call.Name} parked green thread {green.Number} and then failed: {error.Message}");
        if (error is HubCallException answer)
        {
            answer.Raise();
        }
        else
        {
            HandlerFailed(call.Name, error);
            HubCallException.Runtime($"{call.Name}: {error.Message}").Raise();
        }

        green.Result = 0;
        return CallOutcome.Resume;
    }

    [LoggerMessage(EventId = 100, Level = LogLevel.Error, Message = "the hub call {Name} failed; the caller gets a RuntimeError")]
    private partial void HandlerFailed(string name, Exception error);
}
