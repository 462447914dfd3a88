using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls.Server;

/// <summary>
/// Signals of the uwsgi module that other workers send here. Any thread brings them; the hub has the Python side fetch them by <c>taken_signal()</c>. One that comes again
/// before it was fetched counts once, as a signal that is raised twice before its handler begins: so a flood of them takes no memory.
/// </summary>
internal sealed partial class SignalInbox(HubLoop hub, ILogger log) : IInboxReceiver
{
    private const int Count = 256;
    private readonly int[] _came = new int[Count];
    private int _posted;

    /// <summary>A signal has come. Any thread.</summary>
    public void Bring(int number)
    {
        if ((uint)number >= Count) return;
        Volatile.Write(ref _came[number], 1);
        if (Interlocked.Exchange(ref _posted, 1) == 0) hub.Inbox.Post(this, null, 0);
    }

    /// <summary>The lowest that has come and was not taken yet; -1: none.</summary>
    public int Take()
    {
        for (var number = 0; number < Count; number++)
        {
            if (Volatile.Read(ref _came[number]) != 0 && Interlocked.Exchange(ref _came[number], 0) != 0) return number;
        }

        return -1;
    }

    public void Receive(object? payload, long token)
    {
        // Before they are fetched, so that one that comes meanwhile posts again.
        Interlocked.Exchange(ref _posted, 0);
        if (PythonFunction.Call("ugreen._signals", "receive") is { } traceback) Failed(log, traceback);
    }

    /// <summary>The hub call that fetches them.</summary>
    public HubCall Call() => new ServerCall("taken_signal", "Number of a signal that came from another worker, each once; -1: no more.", () => CApi.PyLong_FromLongLong(Take()).OrThrow());

    [LoggerMessage(EventId = 262, Level = LogLevel.Error, Message = "signals of other workers could not be delivered\n{Traceback}")]
    private static partial void Failed(ILogger log, string traceback);
}
