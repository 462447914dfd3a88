using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using UGreen.Py.Native;
using UGreen.Py.Server.Logging;

namespace UGreen.Py.Server.Hosting;

/// <summary>
/// Signals that mean nothing to this process and would end it: SIGHUP (where there is no master), SIGUSR2, SIGALRM. Each is a line in the log. Handlers of the application's own, which it
/// installs with Python's <c>signal</c>, take their place.
/// </summary>
internal sealed class StraySignals(ILogger logger) : IDisposable
{
    private const int Usr2 = 12;
    private const int Alarm = 14;

    private readonly List<SignalHandler> _registrations = [];

    /// <summary>From the beginning, but for the alarm clock: see <see cref="TakeAlarm"/>.</summary>
    /// <param name="withHangup">SIGHUP means nothing either.</param>
    public void Take(bool withHangup)
    {
        if (withHangup) On(PosixSignal.SIGHUP, () => ServerLog.NobodyReloads(logger));
        On((PosixSignal)Usr2, () => ServerLog.Stray(logger, "SIGUSR2"));
    }

    /// <summary>
    /// SIGALRM, unless the application has taken it. Not before Python has started: what a signal is then Python takes for what the application may set it back to, and of a handler
    /// that is not Python's own it knows only that it cannot.
    /// </summary>
    public void TakeAlarm()
    {
        if (SignalDisposition.IsDefault(Alarm)) On((PosixSignal)Alarm, () => ServerLog.Stray(logger, "SIGALRM"));
    }

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
    }

    private void On(PosixSignal signal, Action tell) => _registrations.Add(new SignalHandler(signal, _ => tell()));
}
