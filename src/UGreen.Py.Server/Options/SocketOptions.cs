using UGreen.Py.Front;
using UGreen.Py.Front.Uwsgi;

namespace UGreen.Py.Server.Options;

/// <summary>Reads the options that say where the server listens.</summary>
internal sealed class SocketOptions
{
    private const int MaxMode = 0x1ff; // 0777

    private readonly ParsedArguments _arguments;
    private readonly List<string> _errors;

    /// <param name="arguments">The command line.</param>
    /// <param name="errors">Gets a line for each error.</param>
    public SocketOptions(ParsedArguments arguments, List<string> errors)
    {
        _arguments = arguments;
        _errors = errors;
    }

    /// <summary>Those without TLS, then those with it. The default only when no option names any socket.</summary>
    public List<HttpEndpoint> Http()
    {
        var isDefault = !_arguments.Http.Any() && !_arguments.Https.Any() && !_arguments.Socket.Any();
        var plain = isDefault ? [OptionDefaults.Http] : _arguments.Http;
        return [.. Each(plain, HttpEndpoint.Parse), .. Each(_arguments.Https, HttpEndpoint.ParseTls)];
    }

    public List<UwsgiEndpoint> Uwsgi() => Each(_arguments.Socket, UwsgiEndpoint.Parse);

    /// <summary>An octal number from 0 to 777, as chmod takes it.</summary>
    public UnixFileMode? Mode()
    {
        if (_arguments.ChmodSocket is not { } text) return null;
        var mode = 0;
        foreach (var digit in text) mode = digit is >= '0' and <= '7' && mode <= MaxMode ? (mode * 8) + (digit - '0') : MaxMode + 1;
        if (mode <= MaxMode) return (UnixFileMode)mode;
        _errors.Add($"--chmod-socket: '{text}' is not an octal mode from 0 to 777");
        return null;
    }

    public ForwardedPeers? Forwarded()
        => _arguments.ForwardedAllow is { } text ? Each([text], ForwardedPeers.Parse).FirstOrDefault() : null;

    private List<T> Each<T>(IEnumerable<string> texts, Func<string, T> parse)
    {
        var parsed = new List<T>();
        foreach (var text in texts)
        {
            try
            {
                parsed.Add(parse(text));
            }
            catch (FrontException e)
            {
                _errors.Add(e.Message);
            }
        }

        return parsed;
    }
}
