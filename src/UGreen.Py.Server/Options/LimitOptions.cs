using System.Globalization;
using UGreen.Py.Front;
using UGreen.Py.Front.Uwsgi;

namespace UGreen.Py.Server.Options;

/// <summary>The options of the group "Limits", and --buffer-size.</summary>
internal sealed class LimitOptions
{
    /// <summary>A bound against typing errors: nobody waits for a day.</summary>
    private const double MaxSeconds = 86_400;

    /// <summary>Below it time-outs are a matter of luck: they are looked for every few hundredths of a second at most.</summary>
    private const double MinSeconds = 0.1;

    private readonly List<string> _errors;

    private LimitOptions(List<string> errors) => _errors = errors;

    public static FrontLimits Defaults { get; } = new();

    public static string DefaultBufferSize { get; } = $"{UwsgiLimits.MaxBlockBytes}; {Defaults.HeadBytes} for HTTP";

    public static string Text(TimeSpan? time) => (time ?? TimeSpan.Zero).TotalSeconds.ToString(CultureInfo.InvariantCulture);

    /// <returns>The value of --buffer-size, null without one, the limits, and those of --harakiri.</returns>
    public static (int? BufferSize, FrontLimits Front, TimeSpan Harakiri, TimeSpan HarakiriGrace) Read(ParsedArguments arguments, List<string> errors)
    {
        var reader = new LimitOptions(errors);
        // A request line of "GET / HTTP/1.1" and a Host need this much: less is a typing error.
        const int leastBuffer = 64;
        int? buffer = arguments.BufferSize is null ? null : (int)reader.Whole("buffer-size", arguments.BufferSize, 0, leastBuffer, UwsgiLimits.MaxBlockBytes);
        var body = reader.Whole("limit-post", arguments.LimitPost, 0, 0, long.MaxValue);
        var connections = (int)reader.Whole("max-connections", arguments.MaxConnections, 0, 0, int.MaxValue);
        return (buffer, new FrontLimits
        {
            HeadBytes = buffer ?? Defaults.HeadBytes,
            Headers = (int)reader.Whole("max-headers", arguments.MaxHeaders, Defaults.Headers, 1, UwsgiLimits.MaxBlockBytes),
            BodyBytes = body == 0 ? null : body,
            Pause = reader.Seconds("http-timeout", arguments.HttpTimeout, Defaults.Pause),
            Head = reader.Seconds("headers-timeout", arguments.HeadersTimeout, Defaults.Head, mayBeZero: false) ?? Defaults.Head,
            KeepAlive = reader.Seconds("http-keepalive", arguments.HttpKeepalive, Defaults.KeepAlive),
            Connections = connections == 0 ? null : connections,
        },
        reader.Seconds("harakiri", arguments.Harakiri, null) ?? TimeSpan.Zero,
        reader.Seconds("harakiri-graceful-timeout", arguments.HarakiriGracefulTimeout, TimeSpan.FromSeconds(OptionDefaults.HarakiriGraceSeconds)) ?? TimeSpan.Zero);
    }

    private long Whole(string option, string? text, long preset, long min, long max)
    {
        if (text is null) return preset;
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) _errors.Add($"--{option}: '{text}' is not a whole number");
        else if (number < min || number > max) _errors.Add($"--{option}: {number} is out of range ({min} to {max})");
        else return number;
        return preset;
    }

    /// <returns>Null for 0.</returns>
    private TimeSpan? Seconds(string option, string? text, TimeSpan? preset, bool mayBeZero = true)
    {
        if (text is null) return preset;
        if (!double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds))
            _errors.Add($"--{option}: '{text}' is not a number of seconds");
        else if (seconds == 0 && mayBeZero) return null;
        else if (seconds is >= MinSeconds and <= MaxSeconds) return TimeSpan.FromSeconds(seconds);
        else _errors.Add(string.Create(CultureInfo.InvariantCulture, $"--{option}: {text} is out of range ({MinSeconds} to {MaxSeconds} s{(mayBeZero ? ", or 0" : "")})"));
        return preset;
    }
}
