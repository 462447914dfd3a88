using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub.Blocking;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub;

/// <summary>POSIX signals that Python handles. While Python code runs it sees to them itself, between two bytecodes; here, what comes while none runs.</summary>
public sealed partial class HubLoop
{
    /// <summary>The descriptor that wakes the hub. Code that can do no more than that may write to it.</summary>
    public int WakeFd => _wakeUp.Fd;

    /// <summary>It is not asleep: a green thread is on the CPU, or something waits in the inbox. Any thread; may be out of date.</summary>
    public bool IsBusy => Current is not null || HasWork;

    /// <summary>Something waits for the hub: messages, or green threads that are ready. Any thread; may be out of date.</summary>
    public bool HasWork => !Inbox.IsEmpty || _ready.Count > 0;

    private bool _mustLookForSignals;

    /// <summary>
    /// A call of the C library that a green thread waits in is interrupted, as it would be on a thread of its own: CPython then runs the handler there. With no such call, or where it was a C
    /// library's that waits on, handlers run here, and what they raise has nobody else to go to than the log.
    /// </summary>
    private void RunSignalHandlers()
    {
        SignalRelay.HasArrived = false;
        _mustLookForSignals = _blocking is not null && BlockingCalls.Interrupt(_roster.All);
        if (!_mustLookForSignals) LookForSignals();
    }

    private void LookForSignals()
    {
        _mustLookForSignals = false;
        _state.Activate(ThreadStateSwap.Hub);

        // Handlers may have been called already, where Python code has run since.
        if (CApi.PyErr_CheckSignals() == 0) return;
        var error = PythonException.Fetch();
        SignalHandlerFailed(error.Traceback ?? error.Message);
    }

    [LoggerMessage(EventId = 720, Level = LogLevel.Error, Message = "a signal handler of the application failed while no request ran\n{Traceback}")]
    private partial void SignalHandlerFailed(string traceback);
}
