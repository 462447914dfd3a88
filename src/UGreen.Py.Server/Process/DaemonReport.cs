using System.Globalization;
using System.Text;
using UGreen.Py.Native;

namespace UGreen.Py.Server.Process;

/// <summary>
/// How a server in the background tells the process that the operator started how its start went: over a pipe, whose number an environment variable holds. One message: "ready",
/// or the exit code and what would have been on the terminal.
/// </summary>
internal sealed class DaemonReport
{
    public const string Variable = "UGREEN_DAEMON";
    public const string ReadyMark = "ready\n";

    private const string MadeLog = ",new";

    private int _pipe;

    private DaemonReport(int pipe) => _pipe = pipe;

    /// <summary>The log file was not there before: it belongs to this server.</summary>
    public bool HasNewLog { get; private init; }

    /// <summary>The value of the variable.</summary>
    public static string Text(int pipe, bool isNewLog) => string.Create(CultureInfo.InvariantCulture, $"{pipe}{(isNewLog ? MadeLog : "")}");

    /// <summary>Nobody waits.</summary>
    public static DaemonReport None { get; } = new(-1);

    /// <summary>This process was started by a <see cref="Daemonizer"/>, and has to say how it went.</summary>
    public bool IsDaemon => _pipe >= 0;

    /// <summary>Takes the pipe, and the variable out of the environment. Call it first of all.</summary>
    public static DaemonReport Take()
    {
        var text = Environment.GetEnvironmentVariable(Variable);
        if (text is null) return new DaemonReport(-1);
        ProcessEnvironment.Remove(Variable);
        var isNewLog = text.EndsWith(MadeLog, StringComparison.Ordinal);
        if (isNewLog) text = text[..^MadeLog.Length];
        return new DaemonReport(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var pipe) && FileDescriptors.SetCloseOnExec(pipe) ? pipe : -1) { HasNewLog = isNewLog };
    }

    /// <summary>The server answers requests.</summary>
    public void Ready() => Send(ReadyMark);

    /// <summary>It does not; nothing happens when it was said to be ready before.</summary>
    public void Failed(int exitCode, string text) => Send(string.Create(CultureInfo.InvariantCulture, $"{exitCode}\n{text}"));

    private void Send(string message)
    {
        var pipe = Interlocked.Exchange(ref _pipe, -1);
        if (pipe < 0) return;
        // Nobody may listen any more, which is no reason not to serve.
        _ = OutputDescriptor.Write(pipe, Encoding.UTF8.GetBytes(message), out _);
        OutputDescriptor.Close(pipe);
    }
}
