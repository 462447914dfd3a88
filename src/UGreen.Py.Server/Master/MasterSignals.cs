using System.Runtime.InteropServices;
using UGreen.Py.Server.Hosting;

namespace UGreen.Py.Server.Master;

/// <summary>
/// What signals mean to a master: SIGTERM and the first SIGINT a graceful stop, SIGQUIT and a second SIGINT an end at once, SIGHUP a reload, SIGUSR1 new log files. What means
/// nothing, and would end it, is a line in the log. Before anybody is served there is nothing to be graceful about.
/// </summary>
internal sealed class MasterSignals(Action<Action> post) : IDisposable
{
    private const int Usr1 = 10;
    private const int Usr2 = 12;
    private const int Alarm = 14;

    private readonly List<SignalHandler> _registrations = [];
    private bool _isGraceful;
    private bool _wasAsked;

    /// <summary>Gets the signal's name.</summary>
    public required Action<string> Stop { get; init; }

    /// <summary>Gets the signal's name and the exit code.</summary>
    public required Action<string, int> StopAtOnce { get; init; }

    public required Action Reload { get; init; }

    public required Action Reopen { get; init; }

    /// <summary>Gets the name of a signal that means nothing.</summary>
    public required Action<string> Stray { get; init; }

    public void Register()
    {
        On(PosixSignal.SIGTERM, () => Ask("SIGTERM", 15));
        On(PosixSignal.SIGINT, () => Ask("SIGINT", 2));
        On(PosixSignal.SIGQUIT, () => StopAtOnce("SIGQUIT", 128 + 3));
        On(PosixSignal.SIGHUP, Reload);
        On((PosixSignal)Usr1, Reopen);
        On((PosixSignal)Usr2, () => Stray("SIGUSR2"));
        On((PosixSignal)Alarm, () => Stray("SIGALRM"));
    }

    /// <summary>From now on the first signal is a request.</summary>
    public void BeginGraceful() => _isGraceful = true;

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
    }

    private void Ask(string name, int number)
    {
        if (!_isGraceful || (_wasAsked && name == "SIGINT")) StopAtOnce(name, 128 + number);
        else Stop(name);
        _wasAsked = true;
    }

    private void On(PosixSignal signal, Action action) => _registrations.Add(new SignalHandler(signal, _ => post(action)));
}
