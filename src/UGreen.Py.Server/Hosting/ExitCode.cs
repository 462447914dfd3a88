namespace UGreen.Py.Server.Hosting;

/// <summary>Exit codes. An end at once by a signal is 128 + signal number, see <see cref="StopSignals"/>.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>The server could not start or did not survive.</summary>
    public const int Failure = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;
}
