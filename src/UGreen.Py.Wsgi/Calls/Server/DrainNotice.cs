using Microsoft.Extensions.Logging;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Server;

/// <summary>Tells the Python side that the worker begins to drain: sets <c>ugreen.stopping</c>.</summary>
internal sealed partial class DrainNotice(ILogger log) : IInboxReceiver
{
    public void Receive(object? payload, long token)
    {
        if (PythonFunction.Call("ugreen._stopping", "begin") is { } traceback) Failed(log, traceback);
    }

    [LoggerMessage(EventId = 261, Level = LogLevel.Error, Message = "ugreen.stopping could not be set\n{Traceback}")]
    private static partial void Failed(ILogger log, string traceback);
}
