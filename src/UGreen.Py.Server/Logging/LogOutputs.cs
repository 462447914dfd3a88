using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Extensions.Logging;
using UGreen.Py.Front;
using UGreen.Py.Front.Logs;
using UGreen.Py.Native;
using UGreen.Py.Server.Hosting;
using UGreen.Py.Server.Options;

namespace UGreen.Py.Server.Logging;

/// <summary>
/// Everything that the server writes, and where it goes: its own lines, request lines, and what is said at start. With <c>--logto</c> standard output and error become the
/// file first of all, so that whatever is made afterwards writes there. One object per process.
/// </summary>
[SuppressMessage("Reliability", "CA1001:Types that own disposable fields should be disposable", Justification = "It lives as long as the process; Flush writes what is pending.")]
internal sealed class LogOutputs
{
    private readonly List<LogFile> _files = [];
    private readonly TimeProvider _time;
    private readonly bool _isJson;
    private readonly LineBatch? _requestLines;
    private int _terminal = -1;

    /// <param name="options">Where lines go, and which.</param>
    /// <param name="time">For the times in lines.</param>
    /// <param name="hasNewLog">The file of <c>--logto</c> was made for this server a moment ago.</param>
    /// <exception cref="StartupException">A file cannot be opened; nothing has changed then.</exception>
    public LogOutputs(ServerOptions options, TimeProvider time, bool hasNewLog = false)
    {
        _time = time;
        _isJson = options.RequestLog.Json;
        // The file of request lines first: should it fail, standard error is still the terminal.
        var requestFile = options.RequestLog.File is { } path ? LogFile.Open("--req-logger", path) : null;
        if (options.LogTo is { } logTo) TakeStandardStreams(logTo, hasNewLog);
        if (requestFile is not null) _files.Add(requestFile);

        // Whole entries: .NET's own writer passes 256 characters at a time, and request lines, which have a stream of their own, would land in between.
        var error = TextWriter.Synchronized(new StreamWriter(new LogStream(OutputDescriptor.StandardError, Note), new UTF8Encoding(false), 64 * 1024) { AutoFlush = true });
        Console.SetError(error);
        // .NET's own would keep a second descriptor of what standard output is now, and with it the old file after a rotation.
        Console.SetOut(new StreamWriter(new LogStream(OutputDescriptor.StandardOutput, Note), new UTF8Encoding(false)) { AutoFlush = true });
        Announcements = _isJson ? new JsonEntryWriter(error, time, LogLevel.Information) : error;
        Errors = _isJson ? new JsonEntryWriter(error, time, LogLevel.Critical) : error;
        Loggers = ServerLogging.Create(options.LogLevel, _isJson, time);

        // In a file of their own they are wanted whatever the level of the other lines is.
        if (requestFile is null && options.LogLevel > LogLevel.Information) return;
        _requestLines = new LineBatch(new LogStream(requestFile?.Number ?? OutputDescriptor.StandardError, Note), Note);
        AccessLog = MakeAccessLog(options, _requestLines);
    }

    public ILoggerFactory Loggers { get; }

    /// <summary>Null: no request has a line.</summary>
    public IAccessLog? AccessLog { get; }

    /// <summary>What is said at start.</summary>
    public TextWriter Announcements { get; }

    /// <summary>Why the server ends.</summary>
    public TextWriter Errors { get; }

    /// <summary>Tells whoever started the server, too, why it does not: the log may be a file that nobody looks at.</summary>
    public void TellTerminal(string line)
    {
        if (_terminal >= 0) _ = OutputDescriptor.Write(_terminal, Encoding.UTF8.GetBytes(line), out _);
    }

    /// <summary>Lets go of the terminal: the server runs, and a shell that waits for the end of its output need not wait any more.</summary>
    public void ReleaseTerminal()
    {
        var terminal = Interlocked.Exchange(ref _terminal, -1);
        if (terminal >= 0) OutputDescriptor.Close(terminal);
    }

    /// <summary>Opens the files by their names again. Any thread.</summary>
    public void Reopen(ILogger logger)
    {
        if (_files.Count == 0) ServerLog.NothingToReopen(logger);
        foreach (var file in _files)
        {
            try
            {
                file.Reopen();
            }
            catch (StartupException e)
            {
                ServerLog.NotReopened(logger, e.Message);
            }
        }
    }

    /// <summary>Gives the files that the server has created to the user as whom it will run, who could not open them again otherwise.</summary>
    public void GiveTo(uint user, uint group, ILogger logger)
    {
        foreach (var file in _files.Where(file => file.IsNew))
        {
            try
            {
                Credentials.ChangeOwner(file.Number, user, group);
            }
            catch (LinuxException e)
            {
                Process.ProcessLog.LogNotGiven(logger, user, e.Message);
            }
        }
    }

    /// <summary>Writes what is pending; disposing the factory waits until the console logger has written its queue.</summary>
    public void Flush()
    {
        Loggers.Dispose();
        _requestLines?.Flush();
    }

    private void TakeStandardStreams(string path, bool wasMade)
    {
        try
        {
            _terminal = OutputDescriptor.Duplicate(OutputDescriptor.StandardError);
        }
        catch (LinuxException)
        {
            // Started without a standard error: then there is nobody to tell.
        }

        _files.Add(LogFile.TakeStandardStreams("--logto", path, wasMade));
    }

    private AccessLog MakeAccessLog(ServerOptions options, LineBatch lines)
        => new(lines, _time, options.RequestLog.Json ? new JsonFormat() : options.RequestLog.Format)
        {
            Filter = options.LogRequests ? null : options.RequestLog.Forced,
            ShowForwardedFor = options.RequestLog.ShowForwardedFor,
        };

    private string Note(string message) => _isJson ? JsonEntry.Build(_time.GetLocalNow(), LogLevel.Warning, "log", message) : message + "\n";
}
