using System.Globalization;
using UGreen.Py.Front;
using UGreen.Py.Front.Logs;

namespace UGreen.Py.Server.Options;

/// <summary>Reads the options about request lines.</summary>
internal static class RequestLogParser
{
    private const string FilePrefix = "file:";

    // There is one worker.
    private const int Worker = 1;

    /// <param name="arguments">The command line.</param>
    /// <param name="errors">One line is added for each mistake.</param>
    public static RequestLogOptions Parse(ParsedArguments arguments, List<string> errors)
    {
        if (arguments is { LogJson: true, LogFormat: not null }) errors.Add("--log-json and --log-format exclude each other: both say what a request line looks like");
        return new RequestLogOptions
        {
            Format = arguments.LogFormat is { } format ? Format(format, errors) : null,
            Json = arguments.LogJson,
            File = arguments.ReqLogger is { } logger ? File(logger, errors) : null,
            ShowForwardedFor = arguments.LogXForwardedFor,
            Forced = new RequestFilter
            {
                ClientErrors = arguments.Log4xx,
                ServerErrors = arguments.Log5xx,
                SlowMilliseconds = Number("log-slow", arguments.LogSlow, errors),
                BigBytes = Number("log-big", arguments.LogBig, errors),
                Empty = arguments.LogZero,
            },
        };
    }

    private static LogFormat? Format(string text, List<string> errors)
    {
        try
        {
            return LogFormat.Parse(text, Worker);
        }
        catch (FrontException e)
        {
            errors.Add($"--log-format: {e.Message}");
            return null;
        }
    }

    private static string? File(string text, List<string> errors)
    {
        if (text.StartsWith(FilePrefix, StringComparison.Ordinal) && text.Length > FilePrefix.Length) return Path.GetFullPath(text[FilePrefix.Length..]);
        errors.Add($"--req-logger: '{text}' is not supported; expected file:FILE");
        return null;
    }

    private static int? Number(string option, string? text, List<string> errors)
    {
        if (text is null) return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return number;
        errors.Add($"--{option}: '{text}' is not a whole number from 0 to {int.MaxValue}");
        return null;
    }
}
