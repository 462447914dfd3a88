using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using UGreen.Py.Native;
using UGreen.Py.Server.Hosting;

namespace UGreen.Py.Server.Process;

/// <summary>
/// Runs the server in the background. A process with the CLR in it cannot fork, so the same program is started again with the same arguments, in a session of its own; this process
/// waits until that one serves or has failed, says so, and ends.
/// </summary>
internal static class Daemonizer
{
    private const int ReportNumber = 3;
    private const int Terminate = 15;

    /// <param name="arguments">Of this process, without its name.</param>
    /// <param name="host">Who runs it; null: this program's executable.</param>
    /// <param name="logFile">Gets the output of the server.</param>
    /// <param name="output">What the operator reads.</param>
    /// <param name="errors">What the operator reads.</param>
    /// <returns>The exit code for this process.</returns>
    /// <exception cref="StartupException">The program cannot be started.</exception>
    public static int Run(IReadOnlyList<string> arguments, PythonHost? host, string logFile, TextWriter output, TextWriter errors)
    {
        var program = OwnProgram.Find("--daemonize");
        int pid;
        SafeFileHandle report;
        try
        {
            (report, var theirs) = Pipes.Create();
            using (theirs)
            using (var input = File.OpenHandle("/dev/null"))
            using (var log = new SafeFileHandle(OutputDescriptor.OpenForAppend(logFile, out var isNew), ownsHandle: true))
            {
                pid = PythonHost.Start(host, new SpawnRequest
                {
                    Path = program.Path,
                    Arguments = [program.Path, .. program.Before, .. arguments],
                    Changes = new Dictionary<string, string?> { [DaemonReport.Variable] = DaemonReport.Text(ReportNumber, isNew) },
                    Descriptors = new Dictionary<int, int> { [0] = Number(input), [1] = Number(log), [2] = Number(log), [ReportNumber] = Number(theirs) },
                    NewSession = true,
                });
            }
        }
        catch (LinuxException e)
        {
            throw new StartupException($"--daemonize '{logFile}': {e.Message}", inner: e);
        }

        // Who interrupts the start means the server, which no signal of the terminal reaches any more.
        using var interrupt = StopWith(PosixSignal.SIGINT, pid);
        using var terminate = StopWith(PosixSignal.SIGTERM, pid);
        return Report(ReadAll(report), pid, logFile, output, errors);
    }

    private static int Report(string message, int pid, string logFile, TextWriter output, TextWriter errors)
    {
        if (message == DaemonReport.ReadyMark)
        {
            output.Write(string.Create(CultureInfo.InvariantCulture, $"ugreen-py: serving in the background, pid {pid}, output in {logFile}\n"));
            return ExitCode.Success;
        }

        var end = SpawnedProcess.Wait(pid);
        var line = message.IndexOf('\n', StringComparison.Ordinal);
        if (line < 0 || !int.TryParse(message[..line], NumberStyles.None, CultureInfo.InvariantCulture, out var code))
        {
            errors.Write($"ugreen-py: the server {(end.IsExited ? end : $"was {end}")} before it served; see {logFile}\n");
            return end.ShellCode == 0 ? ExitCode.Failure : end.ShellCode;
        }

        errors.Write(message[(line + 1)..]);
        return code;
    }

    /// <summary>Up to the end of the message: its writer closes the pipe, and so does its death.</summary>
    private static string ReadAll(SafeFileHandle pipe)
    {
        using var stream = new FileStream(pipe, FileAccess.Read, bufferSize: 0);
        using var reader = new StreamReader(stream, new UTF8Encoding(false));
        return reader.ReadToEnd();
    }

    private static PosixSignalRegistration StopWith(PosixSignal signal, int pid) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        _ = SpawnedProcess.Signal(pid, Terminate);
    });

    private static int Number(SafeFileHandle handle) => (int)handle.DangerousGetHandle();
}
