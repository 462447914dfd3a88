using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
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

    /// <summary>What a handler raises has nobody else to go to than the log.</summary>
    private void RunSignalHandlers()
    {
        _state.Activate(ThreadStateSwap.Hub);
        SignalRelay.HasArrived = false;
        // Handlers may have been called already, where Python code has run since.
        if (CApi.PyErr_CheckSignals() == 0) return;
        var error = PythonException.Fetch();
        SignalHandlerFailed(error.Traceback ?? error.Message);
    }

    [LoggerMessage(EventId = 720, Level = LogLevel.Error, Message = "a signal handler of the application failed while no request ran\n{Traceback}")]
    private partial void SignalHandlerFailed(string traceback);
}
