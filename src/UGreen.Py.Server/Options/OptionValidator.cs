using System.Globalization;
using Microsoft.Extensions.Logging;
using UGreen.Py.Front;
using UGreen.Py.Front.Uwsgi;
using UGreen.Py.Gateway;
using UGreen.Py.Switching;
using UGreen.Py.Wsgi;

namespace UGreen.Py.Server.Options;

/// <summary>Checks the values. All errors are collected, so that a command line needs one repair and not one per error.</summary>
internal sealed class OptionValidator
{
    private readonly ParsedArguments _arguments;
    private readonly Surroundings _surroundings;
    private readonly List<string> _errors = [];

    private OptionValidator(ParsedArguments arguments, Surroundings surroundings)
    {
        _arguments = arguments;
        _surroundings = surroundings;
    }

    /// <returns>The options, or null and at least one error; each error is one line that names its option.</returns>
    public static (ServerOptions? Options, IReadOnlyList<string> Errors) Validate(
        ParsedArguments arguments, IReadOnlyDictionary<string, object> given, Surroundings surroundings)
    {
        var validator = new OptionValidator(arguments, surroundings);
        var options = validator.Build(given);
        return (validator._errors.Count == 0 ? options : null, validator._errors);
    }

    private ServerOptions Build(IReadOnlyDictionary<string, object> given)
    {
        var application = new ApplicationValidator(_arguments, _errors);
        var limits = LimitOptions.Read(_arguments, _errors);
        var sockets = new SocketOptions(_arguments, _surroundings.PassedSockets, _errors);
        var stacks = Stacks();
        return new ServerOptions
        {
            Applications = application.Applications(),
            NeedApplication = application.NeedApplication,
            WsgiStrict = _arguments.WsgiStrict,
            Imports = [.. _arguments.Import],
            PythonArguments = _arguments.PyArgv?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) ?? [],
            Variables = application.Variables(),
            StaticFiles = new StaticValidator(_arguments, _surroundings, _errors).Settings(),
            AddedHeaders = [.. _arguments.AddHeader.Select(text => AddedHeader.Parse(text, _errors)).OfType<HeaderField>()],
            Http = sockets.Http(),
            Sockets = sockets.Uwsgi(),
            SocketMode = sockets.Mode(),
            UnusedSockets = sockets.Unused(),
            Process = new ProcessOptionsReader(_arguments, _surroundings, _errors).Read(),
            Forwarded = sockets.Forwarded(),
            Backlog = Number("listen", _arguments.Listen, OptionDefaults.Backlog, 1, OptionDefaults.MaxBacklog),
            BufferSize = limits.BufferSize,
            Limits = limits.Front,
            Harakiri = limits.Harakiri,
            HarakiriGrace = limits.HarakiriGrace,
            Stacks = stacks,
            UgreenImplied = _arguments is { Async: not null, Ugreen: false },
            Switch = Switch(),
            GcThreshold = Number("ugreen-gc", _arguments.GcThreshold, OptionDefaults.GcThreshold, 0, OptionDefaults.MaxGcThreshold),
            BlockingCalls = Blocking(),
            QueueLimit = Number("async-queue", _arguments.AsyncQueue, OptionDefaults.Queue, 0, OptionDefaults.MaxQueue),
            Threads = Number("ugreen-threads", _arguments.UgreenThreads, OptionDefaults.Threads, 1, OptionDefaults.MaxThreads),
            PythonPaths = [.. _arguments.PythonPath.Select(p => NotEmpty("pythonpath", p) ?? "")],
            Chdir = ExistingDirectory("chdir", _arguments.Chdir),
            VirtualEnv = ExistingDirectory("virtualenv", _arguments.VirtualEnv),
            Psycopg2 = _arguments.Psycopg2,
            Python = Python(),
            Locks = Number("locks", _arguments.Locks, 0, 0, OptionDefaults.MaxLocks),
            Master = new MasterOptionsReader(_arguments, _surroundings, _errors).Read(),
            ShutdownTimeout = TimeSpan.FromSeconds(Number(
                "shutdown-timeout", _arguments.ShutdownTimeout, OptionDefaults.ShutdownTimeoutSeconds, 0, OptionDefaults.MaxShutdownTimeoutSeconds)),
            LogLevel = Level(),
            LogRequests = !_arguments.DisableLogging,
            LogTo = NotEmpty("logto", _arguments.LogTo) is { } logTo ? Path.GetFullPath(logTo) : null,
            RequestLog = RequestLogParser.Parse(_arguments, _errors),
            Given = application.WithSets(given),
        };
    }

    private StackSizes Stacks()
    {
        var cores = Number("async", _arguments.Async, OptionDefaults.Cores, 1, OptionDefaults.MaxCores);
        int? pages = _arguments.UgreenStackSize is { } size ? Number("ugreen-stacksize", size, 0, OptionDefaults.MinStackPages, OptionDefaults.MaxStackPages) : null;
        int? spawned = _arguments.UgreenSpawnMax is { } most ? Number("ugreen-spawn-max", most, 0, 0, OptionDefaults.MaxCores) : null;
        return _errors.Count > 0 ? default : GreenStacks.Choose(cores, pages, spawned);
    }

    private int Number(string option, string? text, int preset, int min, int max)
    {
        if (text is null) return preset;
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) _errors.Add($"--{option}: '{text}' is not a whole number");
        else if (number < min || number > max) _errors.Add($"--{option}: {number} is out of range ({min} to {max})");
        return number;
    }

    private BlockingMode Blocking()
    {
        if (!ApplicationValidator.YesNo("ugreen-blocking", _arguments.UgreenBlocking, _errors)) return BlockingMode.Off;
        if (_arguments.UgreenBlocking is null) return BlockingMode.WherePossible;
        if (_arguments.UgreenSwitch == "posix") _errors.Add("--ugreen-blocking=true and --ugreen-switch posix exclude each other: blocking calls wait green with direct only");
        return BlockingMode.Required;
    }

    private SwitchKind Switch()
    {
        switch (_arguments.UgreenSwitch)
        {
            case null or "direct":
                return SwitchKind.Direct;
            case "posix":
                return SwitchKind.Posix;
            default:
                _errors.Add($"--ugreen-switch: '{_arguments.UgreenSwitch}' is not known; expected direct or posix");
                return SwitchKind.Direct;
        }
    }

    private LogLevel Level()
    {
        switch (_arguments.LogLevel?.ToLowerInvariant())
        {
            case "trace": return LogLevel.Trace;
            case "debug": return LogLevel.Debug;
            case null or "info" or "information": return LogLevel.Information;
            case "warning" or "warn": return LogLevel.Warning;
            case "error": return LogLevel.Error;
            case "critical": return LogLevel.Critical;
            case "none": return LogLevel.None;
            default:
                _errors.Add($"--log-level: '{_arguments.LogLevel}' is not known; expected trace, debug, info, warning, error, critical or none");
                return LogLevel.Information;
        }
    }

    private string? Python()
    {
        const string variable = "UGREEN_PYTHON";
        var (source, path) = _arguments.Python is not null ? ("--python", _arguments.Python) : (variable, _surroundings.Environment(variable));
        if (string.IsNullOrEmpty(path))
        {
            if (_arguments.Python is not null) _errors.Add("--python: the value is empty");
            return null;
        }

        // A bare name (python3.12, libpython3.12.so.1.0) is looked for by whoever loads it; a path must be there.
        if (path.Contains('/', StringComparison.Ordinal) && !_surroundings.Exists(path)) _errors.Add($"{source}: '{path}' {_surroundings.WhyMissing(path)}");
        return path;
    }

    private string? ExistingDirectory(string option, string? path)
    {
        if (NotEmpty(option, path) is not null && !_surroundings.IsDirectory(path!)) _errors.Add($"--{option}: '{path}' {(_surroundings.IsDenied(path!) ? Surroundings.Denied : "is not a directory")}");
        return path;
    }

    private string? NotEmpty(string option, string? text)
    {
        if (text is not "") return text;
        _errors.Add($"--{option}: the value is empty");
        return null;
    }
}
