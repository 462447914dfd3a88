using System.Globalization;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Gateway;

namespace UGreen.Py.Wsgi.Environ;

/// <summary>
/// Makes the WSGI environ (PEP 3333): a copy of a template dict, which holds what is the same for all requests, plus the request's own keys.
/// Hub thread, GIL held. What is not cached is one Python string per value.
/// </summary>
internal sealed class EnvironBuilder
{
    private const int StackChars = 1024;

    private readonly NewRef _template;
    private readonly HeaderKeys _headers = new();
    private readonly HeaderKeys _variables = new(areVariables: true);
    private readonly NewRef[] _coreNumbers;

    private readonly HeaderKey _method = Key("REQUEST_METHOD");
    private readonly HeaderKey _protocol = Key("SERVER_PROTOCOL");
    private readonly HeaderKey _scheme = Key("wsgi.url_scheme");
    private readonly HeaderKey _https = Key("HTTPS");
    private readonly HeaderKey _serverName = Key("SERVER_NAME");
    private readonly HeaderKey _serverPort = Key("SERVER_PORT");
    private readonly HeaderKey _remoteAddress = Key("REMOTE_ADDR");
    private readonly HeaderKey _remotePort = Key("REMOTE_PORT");
    private readonly HeaderKey _path = Key("PATH_INFO");
    private readonly HeaderKey _target = Key("REQUEST_URI");
    private readonly HeaderKey _query = Key("QUERY_STRING");
    private readonly HeaderKey _core = Key("uwsgi.core");
    private readonly HeaderKey _input = Key("wsgi.input");

    // Texts of ports, so that a request makes no string of its own for them.
    private int _lastPort = -1;
    private string _lastPortText = "";

    /// <param name="template">The dict with the constant keys; the builder takes the reference over.</param>
    /// <param name="cores">Number of cores.</param>
    public EnvironBuilder(NewRef template, int cores)
    {
        _template = template;
        _coreNumbers = [.. Enumerable.Range(0, cores).Select(n => CApi.PyLong_FromLongLong(n).OrThrow())];
    }

    /// <summary>A new environ for this exchange on this core. With a body, <c>wsgi.input</c> is None: the driver puts its reader there.</summary>
    public NewRef Build(GatewayExchange exchange, int core)
    {
        var environ = CApi.PyDict_Copy(_template.Borrow()).OrThrow();
        try
        {
            Fill(environ, exchange, core);
            return environ;
        }
        catch
        {
            environ.Dispose();
            throw;
        }
    }

    private void Fill(NewRef environ, GatewayExchange exchange, int core)
    {
        if (exchange.Variables.IsEmpty) FillFromHttp(environ, exchange);
        else SetVariables(environ, exchange.Variables);

        // After the variables: what the server says of itself is not overruled from the wire.
        Set(environ, _scheme.Key, _scheme.Value(exchange.Scheme));
        Set(environ, _core.Key, _coreNumbers[core].Borrow());
        if (exchange.HasBody) Set(environ, _input.Key, PyConstants.None);
    }

    private void FillFromHttp(NewRef environ, GatewayExchange exchange)
    {
        Set(environ, _method.Key, _method.Value(exchange.Method));
        Set(environ, _protocol.Key, _protocol.Value(exchange.Protocol));
        if (exchange.Scheme == "https") Set(environ, _https.Key, _https.Value("on"));
        Set(environ, _serverName.Key, _serverName.Value(exchange.LocalAddress));
        Set(environ, _serverPort.Key, _serverPort.Value(PortText(exchange)));
        Set(environ, _remoteAddress.Key, _remoteAddress.Value(exchange.RemoteAddress));
        SetRemotePort(environ, exchange.RemotePort);
        SetTarget(environ, exchange.Target);
        SetHeaders(environ, exchange.Headers);
    }

    private static HeaderKey Key(string name) => new(PyText.Interned(name).OrThrow(), isShared: true);

    private static void Set(NewRef dict, BorrowedRef key, BorrowedRef value)
    {
        if (CApi.PyDict_SetItem(dict.Borrow(), key, value) < 0) throw PythonException.Fetch();
    }

    private string PortText(GatewayExchange exchange)
    {
        if (exchange.LocalPort != _lastPort) (_lastPort, _lastPortText) = (exchange.LocalPort, exchange.LocalPort.ToString(CultureInfo.InvariantCulture));
        return _lastPortText;
    }

    private void SetRemotePort(NewRef environ, int remotePort)
    {
        // Another one for every connection, so there is nothing to cache; the digits need no string.
        Span<char> digits = stackalloc char[11];
        _ = remotePort.TryFormat(digits, out var length, provider: CultureInfo.InvariantCulture);
        using var port = PyText.FromLatin1(digits[..length]).OrThrow();
        Set(environ, _remotePort.Key, port.Borrow());
    }

    private void SetTarget(NewRef environ, string target)
    {
        Set(environ, _target.Key, _target.Value(target));
        RequestTarget.Split(target, out var path, out var query);
        using (var text = PyText.FromLatin1(query).OrThrow()) Set(environ, _query.Key, text.Borrow());

        var decoded = path.Length <= StackChars ? stackalloc char[StackChars] : new char[path.Length];
        var length = PercentDecoder.Decode(path, decoded);
        using var pathInfo = PyText.FromLatin1(decoded[..length]).OrThrow();
        Set(environ, _path.Key, pathInfo.Borrow());
    }

    private void SetVariables(NewRef environ, ReadOnlySpan<HeaderField> variables)
    {
        foreach (var variable in variables)
        {
            var key = _variables.For(variable.Name);
            Set(environ, key.Key, key.Value(variable.Value));
            if (!key.IsShared) key.Release();
        }
    }

    private void SetHeaders(NewRef environ, ReadOnlySpan<HeaderField> headers)
    {
        foreach (var header in headers)
        {
            var key = _headers.For(header.Name);
            var known = CApi.PyDict_GetItemWithError(environ.Borrow(), key.Key);
            if (known.IsNull) Set(environ, key.Key, key.Value(header.Value));
            else Join(environ, key.Key, known, header);
            if (!key.IsShared) key.Release();
        }
    }

    // A repeated field is one list (RFC 9110, section 5.3); cookies are joined with "; " (RFC 9113, section 8.2.3).
    private static void Join(NewRef environ, BorrowedRef key, BorrowedRef known, HeaderField header)
    {
        var separator = header.Name.Equals("cookie", StringComparison.OrdinalIgnoreCase) ? "; " : ", ";
        using var joined = PyText.FromLatin1((PyText.ToLatin1(known) ?? "") + separator + header.Value).OrThrow();
        Set(environ, key, joined.Borrow());
    }
}
