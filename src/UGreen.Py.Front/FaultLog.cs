using Microsoft.Extensions.Logging;
using UGreen.Py.Front.Uwsgi;

namespace UGreen.Py.Front;

/// <summary>Faults in the code of connections, each of which ends one: logged with its stack, once a second at most, since whoever can cause one can cause thousands. Any thread.</summary>
internal sealed class FaultLog(ILogger logger, TimeProvider time)
{
    private readonly OncePerSecond _pace = new(time);

    public void Tell(Exception error)
    {
        if (_pace.TryPass(out var unsaid)) FrontLog.ConnectionFault(logger, unsaid, error);
    }
}
