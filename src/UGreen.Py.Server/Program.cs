using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using UGreen.Py.Front;
using UGreen.Py.Native;
using UGreen.Py.Server.Hosting;
using UGreen.Py.Server.Logging;
using UGreen.Py.Server.Master;
using UGreen.Py.Server.Options;
using UGreen.Py.Server.Process;
using UGreen.Py.Wsgi.Control;

namespace UGreen.Py.Server;

/// <summary>
/// The way in and the only way out. Each path ends in <see cref="ProcessExit.Immediately"/>: a normal return would run finalizers and C's atexit functions
/// while the interpreter is still loaded.
/// </summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        try
        {
            return Run(args);
        }
        catch (Exception e)
        {
            Console.Error.Write($"ugreen-py: {Message(e)}\n");
            if (e is not StartupException) Console.Error.Write($"{e.StackTrace}\n");
            return ExitCode.Failure;
        }
    }

    private static int Run(string[] args)
    {
        PythonHost.Arrive();
        var report = DaemonReport.Take();
        WorkerRole? role;
        try
        {
            role = WorkerRole.Take();
        }
        catch (StartupException e)
        {
            Console.Error.Write($"ugreen-py: {e.Message}\n");
            return ExitCode.Failure;
        }

        switch (role?.Parse() ?? ServerCommandLine.Parse(args, Surroundings.Real))
        {
            case CommandLineResult.ShowHelp:
                Console.Out.Write(HelpText.Build());
                return ExitCode.Success;
            case CommandLineResult.ShowVersion:
                Console.Out.Write($"ugreen-py {StartBlock.Version}\n");
                return ExitCode.Success;
            case CommandLineResult.Refused refused:
                foreach (var warning in refused.Warnings) Console.Error.Write($"ugreen-py: warning: {warning}\n");
                foreach (var error in refused.Errors) Console.Error.Write($"ugreen-py: {error}\n");
                return ExitCode.Usage;
            case CommandLineResult.Run { Options.Process.Daemonize: { } logFile } run when !report.IsDaemon && role is null:
                return RunInBackground(args, run.Options, logFile);
            case CommandLineResult.Run run:
                // A master runs no Python, and who was started by one of ours runs what it shall.
                if (role is null && !report.IsDaemon && !run.Options.Master.IsEnabled) PythonHost.Become(run.Options, args);
                // In the background all output goes to the file, which is then also opened again by SIGUSR1.
                Start(run.Options with { LogTo = run.Options.LogTo ?? run.Options.Process.Daemonize }, args, report, role);
                break;
        }

        return ExitCode.Failure;
    }

    private static void Start(ServerOptions options, string[] args, DaemonReport report, WorkerRole? role)
    {
        if (options.Process.Umask is { } mask) FileCreationMask.Set(mask);
        LogOutputs logs;
        try
        {
            logs = new LogOutputs(options, TimeProvider.System, report.HasNewLog && options.LogTo == options.Process.Daemonize);
        }
        catch (StartupException e)
        {
            Console.Error.Write($"ugreen-py: {e.Message}\n");
            report.Failed(ExitCode.Failure, $"ugreen-py: {e.Message}\n");
            role?.Failed(e.Message);
            return;
        }

        var logger = logs.Loggers.CreateLogger(ServerLog.Category);
        if (role is null) Report(options, logger, logs);
        if (PythonHost.WasRefused) ServerLog.PreloadRefused(logger);
        // Before Python starts and before anything else runs that could ask for one.
        foreach (var (name, value) in options.Variables) ProcessEnvironment.Set(name, value);
        if (role is not null) Work(options, logs, logger, role);
        else if (options.Master.IsEnabled) Supervise(options, ServerCommandLine.Complete(args, options.Configuration), logs, logger, report);
        else Serve(options, logs, logger, report);
    }

    /// <summary>One process that does everything.</summary>
    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "The process ends here; Leave flushes what must be flushed.")]
    private static void Serve(ServerOptions options, LogOutputs logs, ILogger logger, DaemonReport report)
    {
        var stray = new StraySignals(logger);
        stray.Take(withHangup: true);
        var signals = new StopSignals((signal, code) => AtOnce(signal, code, logs, logger)) { GracefulBegun = stray.TakeAlarm };
        signals.Register();
        _ = ReopenSignal.Register(() => logs.Reopen(logger));

        var life = new ProcessLife(options, logs, report, TimeProvider.System);
        int exitCode;
        try
        {
            life.Begin(role: null);
            var counters = new RequestCounters(options.Cores);
            var control = new StandaloneControl(signals.Request, counters);
            var worker = WorkerFactory.Create(options, Shim(), logs.Loggers, control, counters);
            var host = new ServerHost(options, worker, logs.AccessLog, signals, logs.Loggers, logs.Announcements, TimeProvider.System)
            {
                Bound = sockets => control.Sockets = sockets,
                Ready = () =>
                {
                    control.IsReady = true;
                    logs.ReleaseTerminal();
                },
                Life = life,
            };
            exitCode = host.RunAsync().GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            exitCode = Explain(e, logger, logs, report);
        }

        life.Ended();
        Leave(exitCode, logs);
    }

    /// <summary>A worker of a master.</summary>
    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "The process ends here; Leave flushes what must be flushed.")]
    private static void Work(ServerOptions options, LogOutputs logs, ILogger logger, WorkerRole role)
    {
        var stray = new StraySignals(logger);
        // A SIGHUP of the terminal reaches all processes of the server, and it is the master who does something.
        stray.Take(withHangup: false);
        var signals = new StopSignals((signal, code) => AtOnce(signal, code, logs, logger)) { Leaving = role.Leaving, GracefulBegun = stray.TakeAlarm };
        signals.Register();
        _ = ReopenSignal.Register(() => logs.Reopen(logger));
        role.Listen(signals, options.ShutdownTimeout, logger);
        var begun = TimeProvider.System.GetUtcNow();

        int exitCode;
        try
        {
            using var listeners = role.Listeners(FrontSettings.Of(options, null));
            var worker = WorkerFactory.Create(options, Shim(), logs.Loggers, role.Control, role.Board(options), role.ChannelFd);
            var host = new ServerHost(options, worker, logs.AccessLog, signals, logs.Loggers, logs.Announcements, TimeProvider.System)
            {
                Ready = () =>
                {
                    logs.ReleaseTerminal();
                    role.Control.Serving(worker.PythonVersion);
                },
                Shared = listeners,
                Share = role.Share,
                Announces = false,
                Linger = role.Linger,
            };
            exitCode = host.RunAsync().GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            exitCode = Explain(e, logger, logs, DaemonReport.None);
            role.Failed(Message(e));
            if (options.Master.Autoreload is { } pace && e is StartupException { WatchedFiles: { Count: > 0 } files })
            {
                logs.Errors.Write("ugreen-py: --py-autoreload: waiting for a change of its files\n");
                SourceWatch.WaitForChange(files, pace, begun);
                exitCode = ExitCode.Success;
            }
        }

        Leave(exitCode, logs);
    }

    /// <summary>The master of workers.</summary>
    private static void Supervise(ServerOptions options, IReadOnlyList<string> arguments, LogOutputs logs, ILogger logger, DaemonReport report)
    {
        var life = new ProcessLife(options, logs, report, TimeProvider.System);
        int exitCode;
        try
        {
            life.Begin("master");
            using var host = new MasterHost(options, arguments, logs, life, TimeProvider.System);
            exitCode = host.Run();
            // The worker has said why on its own; who waits for a server in the background has not seen it.
            if (exitCode != ExitCode.Success) report.Failed(exitCode, host.StartFailure is { } why ? $"ugreen-py: {why}\n" : "");
        }
        catch (Exception e)
        {
            exitCode = Explain(e, logger, logs, report);
        }

        life.Ended();
        Leave(exitCode, logs);
    }

    private static string Shim() => ShimLocator.Find(Surroundings.Real, AppContext.BaseDirectory);

    [DoesNotReturn]
    private static void AtOnce(string signal, int code, LogOutputs logs, ILogger logger)
    {
        ServerLog.StoppingAtOnce(logger, signal);
        Leave(code, logs);
    }

    private static int RunInBackground(string[] args, ServerOptions options, string logFile)
    {
        try
        {
            return Daemonizer.Run(args, options.Master.IsEnabled ? null : PythonHost.For(options), logFile, Console.Out, Console.Error);
        }
        catch (StartupException e)
        {
            Console.Error.Write($"ugreen-py: {e.Message}\n");
            return ExitCode.Failure;
        }
    }

    private static void Report(ServerOptions options, ILogger logger, LogOutputs logs)
    {
        foreach (var variable in options.Configuration.UnknownVariables) ServerLog.UnknownVariable(logger, variable);
        foreach (var warning in options.Configuration.Warnings) ServerLog.Configuration(logger, warning);
        if (options.ShownConfiguration is { } shown) logs.Announcements.Write(shown);
        if (options.RequestLog.Format is { HasVariables: false }) ServerLog.FormatWithoutVariables(logger);
        if (options.RequestLog is { ShowForwardedFor: true, Json: false, Format: null }) ServerLog.NoAddressShown(logger);
    }

    /// <summary>One line for the operator; the rest for those who ask for it with --log-level debug.</summary>
    private static int Explain(Exception error, ILogger logger, LogOutputs logs, DaemonReport report)
    {
        // Not as log lines: nothing is being served, and the last line on the terminal must be the one that says what to do.
        if (error is StartupException { Traceback: { } traceback }) logs.Errors.Write(traceback.TrimEnd() + "\n");
        var message = Message(error);
        logs.Errors.Write($"ugreen-py: {message}\n");
        // In the background the terminal is behind the report, and standard error was the log from the beginning.
        if (report.IsDaemon) report.Failed(ExitCode.Failure, $"{(error is StartupException { Traceback: { } text } ? text.TrimEnd() + "\n" : "")}ugreen-py: {message}\n");
        else logs.TellTerminal($"ugreen-py: {message}\n");
        ServerLog.Details(logger, error);
        return ExitCode.Failure;
    }

    private static string Message(Exception error) => error switch
    {
        StartupException or FrontException => error.Message,
        LinuxException => $"the system refuses: {error.Message}",
        _ => $"internal error: {error.GetType().Name}: {error.Message}",
    };

    [DoesNotReturn]
    private static void Leave(int code, LogOutputs logs)
    {
        logs.Flush();
        ProcessExit.Immediately(code);
    }
}
