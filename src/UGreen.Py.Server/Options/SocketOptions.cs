using UGreen.Py.Front;
using UGreen.Py.Front.Uwsgi;

namespace UGreen.Py.Server.Options;

/// <summary>Reads the options that say where the server listens.</summary>
internal sealed class SocketOptions
{
    private const int MaxMode = 0x1ff; // 0777

    private readonly ParsedArguments _arguments;
    private readonly IReadOnlyList<PassedSocket> _passed;
    private readonly List<string> _errors;

    /// <param name="arguments">The command line.</param>
    /// <param name="passed">Sockets that the process was started with.</param>
    /// <param name="errors">Gets a line for each error.</param>
    public SocketOptions(ParsedArguments arguments, IReadOnlyList<PassedSocket> passed, List<string> errors)
    {
        _arguments = arguments;
        _passed = passed;
        _errors = errors;
    }

    /// <summary>Those without TLS, then those with it. When no option names any socket: those that the process was started with, or else the default.</summary>
    public List<HttpEndpoint> Http()
    {
        var plain = IsUnsaid ? (_passed.Count > 0 ? [.. _passed.Select(socket => socket.Address)] : [OptionDefaults.Http]) : _arguments.Http;
        return [.. Each(Resolved(plain), HttpEndpoint.Parse), .. Each(Resolved(_arguments.Https), HttpEndpoint.ParseTls)];
    }

    public List<UwsgiEndpoint> Uwsgi() => Each(Resolved(_arguments.Socket), UwsgiEndpoint.Parse);

    /// <summary>Sockets that the process was started with and that nothing serves.</summary>
    public List<PassedSocket> Unused()
    {
        if (IsUnsaid) return [];
        var named = Resolved([.. _arguments.Http, .. _arguments.Https, .. _arguments.Socket]).Select(address => address.Trim().Split(',')[0]).ToHashSet(StringComparer.Ordinal);
        return [.. _passed.Where(socket => !named.Contains(socket.Address))];
    }

    private bool IsUnsaid => !_arguments.Http.Any() && !_arguments.Https.Any() && !_arguments.Socket.Any();

    private IEnumerable<string> Resolved(IEnumerable<string> addresses) => addresses.Select(address => PassedSocket.Resolve(address, _passed));

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
