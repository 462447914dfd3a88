using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Extensions.Logging;
using UGreen.Py.Front;
using UGreen.Py.Native;
using UGreen.Py.Server.Hosting;
using UGreen.Py.Server.Logging;
using UGreen.Py.Server.Options;

namespace UGreen.Py.Server;

/// <summary>
/// The way in and the only way out. Each path ends in <see cref="ProcessExit.Immediately"/>: a normal return would run finalizers and C's atexit functions
/// while the interpreter is still loaded.
/// </summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        switch (ServerCommandLine.Parse(args, Surroundings.Real))
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
            case CommandLineResult.Run run:
                Serve(run.Options);
                break;
        }

        return ExitCode.Failure;
    }

    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "The process ends here; Leave flushes what must be flushed.")]
    private static void Serve(ServerOptions options)
    {
        // Whole entries: .NET's own writer passes 256 characters at a time, and request lines, which have a stream of their own, would land in between.
        Console.SetError(new StreamWriter(Console.OpenStandardError(), new UTF8Encoding(false), 64 * 1024) { AutoFlush = true });
        var loggers = ServerLogging.Create(options.LogLevel, TimeProvider.System);
        var requestLines = options.LogRequests && options.LogLevel <= LogLevel.Information ? new LineBatch(Console.OpenStandardError()) : null;
        var logger = loggers.CreateLogger(ServerLog.Category);
        Report(options, logger);
        var signals = new StopSignals((signal, code) =>
        {
            ServerLog.StoppingAtOnce(logger, signal);
            Leave(code, loggers, requestLines);
        });
        signals.Register();

        int exitCode;
        try
        {
            var shim = ShimLocator.Find(Surroundings.Real, AppContext.BaseDirectory);
            var worker = WorkerFactory.Create(options, shim, loggers);
            var accessLog = requestLines is null ? null : new AccessLog(requestLines, TimeProvider.System);
            exitCode = new ServerHost(options, worker, accessLog, signals, loggers, Console.Error, TimeProvider.System).RunAsync().GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            exitCode = Explain(e, logger);
        }

        Leave(exitCode, loggers, requestLines);
    }

    private static void Report(ServerOptions options, ILogger logger)
    {
        foreach (var variable in options.Configuration.UnknownVariables) ServerLog.UnknownVariable(logger, variable);
        foreach (var warning in options.Configuration.Warnings) ServerLog.Configuration(logger, warning);
        if (options.ShownConfiguration is { } shown) Console.Error.Write(shown);
    }

    /// <summary>One line for the operator; the rest for those who ask for it with --log-level debug.</summary>
    private static int Explain(Exception error, ILogger logger)
    {
        // Not as log lines: nothing is being served, and the last line on the terminal must be the one that says what to do.
        if (error is StartupException { Traceback: { } traceback }) Console.Error.Write(traceback.TrimEnd() + "\n");
        var message = error is StartupException or FrontException ? error.Message : $"internal error: {error.GetType().Name}: {error.Message}";
        Console.Error.Write($"ugreen-py: {message}\n");
        ServerLog.Details(logger, error);
        return ExitCode.Failure;
    }

    /// <summary>Disposing the factory waits until the console logger has written its queue.</summary>
    [DoesNotReturn]
    private static void Leave(int code, ILoggerFactory loggers, LineBatch? requestLines)
    {
        loggers.Dispose();
        requestLines?.Flush();
        ProcessExit.Immediately(code);
    }
}
