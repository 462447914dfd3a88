using Microsoft.Extensions.Logging;
using UGreen.Py.Hub;
using UGreen.Py.Native;

namespace UGreen.Py.Wsgi.Calls;

/// <summary>Makes the OSError of a request body that could not be read, and says it once in the log.</summary>
internal static partial class BodyFault
{
    private const int TimedOut = 408;
    private const int TooLarge = 413;
    private const int ClientLeft = 499;

    /// <param name="application">For its log.</param>
    /// <param name="request">Whose body it is.</param>
    /// <param name="error">What the front said.</param>
    public static HubCallException Raise(WsgiApplication application, WsgiRequest request, Exception error)
    {
        if (request.Exchange is { } exchange) exchange.ReadFailed = true;
        var status = request.Exchange?.FaultStatus ?? 0;
        // The front may cancel its token a moment later; whoever asks from now on must hear it already.
        if (status == ClientLeft || (status == 0 && error is OperationCanceledException)) request.LostClient();
        else if (status != 0 && request.BodyFault is null && application.MayTellOfClient(out var unsaid)) Refused(application.Log, request.Title, error.Message, unsaid);

        var text = $"error during read on wsgi.input: {error.Message}";
        request.BodyFault = text;
        return HubCallException.Os(status == TimedOut ? Errno.ETIMEDOUT : status == TooLarge ? Errno.EFBIG : Errno.EIO, text);
    }

    [LoggerMessage(EventId = 250, Level = LogLevel.Information, Message = "{Title}: {Reason} ({Unsaid} more since the last such line)")]
    private static partial void Refused(ILogger log, string title, string reason, long unsaid);
}
