using System.Runtime.InteropServices;

namespace UGreen.Py.Server.Hosting;

/// <summary>
/// What the process does on a signal, until it is disposed. The runtime's registration ends when it is collected, and from then on the signal ends the process; this one stays, whoever
/// holds it. Handlers run on a thread of the runtime's, not in a signal handler, and the runtime itself does nothing more: it would finalize under a live interpreter.
/// </summary>
internal sealed class SignalHandler : IDisposable
{
    private static readonly Lock s_gate = new();
    private static readonly HashSet<SignalHandler> s_all = [];

    private readonly PosixSignalRegistration _registration;

    /// <param name="signal">.NET's number, or Linux's: .NET names only the signals that every Unix numbers alike.</param>
    /// <param name="handle">Gets it.</param>
    public SignalHandler(PosixSignal signal, Action<PosixSignal> handle)
    {
        _registration = PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            handle(context.Signal);
        });
        lock (s_gate) s_all.Add(this);
    }

    public void Dispose()
    {
        lock (s_gate) s_all.Remove(this);
        _registration.Dispose();
    }
}
