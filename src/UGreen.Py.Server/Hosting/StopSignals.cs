using System.Runtime.InteropServices;

namespace UGreen.Py.Server.Hosting;

/// <summary>
/// The first SIGTERM or SIGINT asks for a graceful stop. A SIGINT after that (a second Ctrl-C) and SIGQUIT end at once; a second SIGTERM changes nothing, because
/// supervisors and <c>timeout</c> send it to the process and to its group. Before the server is ready there is nothing to be graceful about: any of them ends at once.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private readonly TaskCompletionSource<string> _requested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<SignalHandler> _registrations = [];
    private readonly Action<string, int> _atOnce;
    private int _asked;
    private volatile bool _isGraceful;
    private volatile string? _requestedEarly;

    /// <param name="atOnce">Ends the process; gets the signal's name and the exit code 128 + signal number, as a shell would report it.</param>
    public StopSignals(Action<string, int> atOnce) => _atOnce = atOnce;

    /// <summary>
    /// Set in a worker: told when a SIGTERM was sent to it alone. The signals of a terminal reach all processes of the server, and there it is the master who decides what they
    /// mean.
    /// </summary>
    public Action? Leaving { get; init; }

    /// <summary>Called once, when the first signal is a request from then on.</summary>
    public Action? GracefulBegun { get; init; }

    /// <summary>Ends with the name of the first signal.</summary>
    public Task<string> Requested => _requested.Task;

    public void Register()
    {
        _registrations.Add(new SignalHandler(PosixSignal.SIGTERM, Handle));
        _registrations.Add(new SignalHandler(PosixSignal.SIGINT, Handle));
        _registrations.Add(new SignalHandler(PosixSignal.SIGQUIT, Handle));
        if (Leaving is not null) _registrations.Add(new SignalHandler(PosixSignal.SIGHUP, Handle));
    }

    /// <summary>From now on the first signal is a request.</summary>
    public void BeginGraceful()
    {
        _isGraceful = true;
        GracefulBegun?.Invoke();
        if (_requestedEarly is { } reason) Complete(reason);
    }

    /// <summary>What the application asks for: as a first SIGTERM when the server serves; before that it stands until it does. Any thread.</summary>
    /// <param name="reason">In the place of the signal's name.</param>
    public void Request(string reason)
    {
        if (!_isGraceful) _requestedEarly = reason;
        // Looked at again, because serving may have begun in between.
        if (_isGraceful) Complete(reason);
    }

    /// <summary>What a signal does. Runs on a thread of the runtime's, not in a signal handler.</summary>
    public void Receive(PosixSignal signal)
    {
        var isFirst = Interlocked.Exchange(ref _asked, 1) == 0;
        if (signal != PosixSignal.SIGQUIT && isFirst && _isGraceful) _requested.TrySetResult(signal.ToString());
        else if (signal != PosixSignal.SIGTERM || !_isGraceful) _atOnce(signal.ToString(), 128 + Number(signal));
    }

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
    }

    private void Complete(string reason)
    {
        if (Interlocked.Exchange(ref _asked, 1) == 0) _requested.TrySetResult(reason);
    }

    private void Handle(PosixSignal signal)
    {
        if (Leaving is { } leaving)
        {
            if (signal is PosixSignal.SIGINT or PosixSignal.SIGHUP) return;
            if (signal == PosixSignal.SIGTERM) leaving();
        }

        Receive(signal);
    }

    private static int Number(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGINT => 2,
        PosixSignal.SIGQUIT => 3,
        _ => 15,
    };
}
