using System.Runtime.InteropServices;

namespace UGreen.Py.Server.Hosting;

/// <summary>SIGUSR1 asks for the log files to be opened again, as after a rotation. It is always taken: without a handler it would end the process.</summary>
internal static class ReopenSignal
{
    private const int Usr1 = 10;

    /// <param name="reopen">Runs on a thread of the runtime's, not in a signal handler.</param>
    /// <returns>Dispose to give the signal back.</returns>
    public static IDisposable Register(Action reopen) => new SignalHandler((PosixSignal)Usr1, _ => reopen());
}
