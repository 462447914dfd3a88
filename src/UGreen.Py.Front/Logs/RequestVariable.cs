using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Logs;

/// <summary>
/// A CGI variable of the request by its name. With the uwsgi protocol it is among <see cref="GatewayExchange.Variables"/>; with HTTP it is a header, or a few facts of
/// the request. Paths and queries are as the client sent them, percent-encoded.
/// </summary>
internal sealed class RequestVariable
{
    private readonly string _name;
    private readonly string? _header;

    public RequestVariable(string name)
    {
        _name = name;
        if (name.StartsWith("HTTP_", StringComparison.Ordinal)) _header = name[5..].Replace('_', '-');
        else if (name is "CONTENT_TYPE" or "CONTENT_LENGTH") _header = name.Replace('_', '-');
    }

    public void Write(GatewayExchange exchange, ref LineWriter line)
    {
        if (!exchange.Variables.IsEmpty) line.PutText(Among(exchange.Variables, _name));
        else if (_header is not null) WriteHeader(exchange, ref line);
        else WriteFact(exchange, ref line);
    }

    /// <summary>The header's first value; null when there is none.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="header">For HTTP.</param>
    /// <param name="variable">For the uwsgi protocol.</param>
    public static string? Header(GatewayExchange exchange, string header, string variable)
    {
        if (!exchange.Variables.IsEmpty) return Among(exchange.Variables, variable);
        foreach (ref readonly var field in exchange.Headers)
        {
            if (Is(field.Name, header)) return field.Value;
        }

        return null;
    }

    /// <summary>Of a repeated name the last one counts.</summary>
    public static string? Among(ReadOnlySpan<HeaderField> variables, string name)
    {
        for (var i = variables.Length - 1; i >= 0; i--)
        {
            if (variables[i].Name == name) return variables[i].Value;
        }

        return null;
    }

    private void WriteHeader(GatewayExchange exchange, ref LineWriter line)
    {
        var found = false;
        foreach (ref readonly var field in exchange.Headers)
        {
            if (!Is(field.Name, _header!)) continue;
            if (found) line.Put(", "u8);
            line.PutText(field.Value);
            found = true;
        }

        if (!found) line.Put("-"u8);
    }

    private void WriteFact(GatewayExchange exchange, ref LineWriter line)
    {
        var target = exchange.Target.AsSpan();
        var query = target.IndexOf('?');
        switch (_name)
        {
            case "REQUEST_METHOD": line.PutText(exchange.Method); break;
            case "REQUEST_URI": line.PutText(target); break;
            case "PATH_INFO": line.PutText(query < 0 ? target : target[..query]); break;
            case "QUERY_STRING": line.PutText(query < 0 ? [] : target[(query + 1)..]); break;
            case "SERVER_PROTOCOL": line.PutText(exchange.Protocol); break;
            case "REQUEST_SCHEME": line.PutText(exchange.Scheme); break;
            case "REMOTE_ADDR": line.PutText(exchange.RemoteAddress); break;
            case "REMOTE_PORT": line.PutNumber(exchange.RemotePort); break;
            case "SERVER_PORT": line.PutNumber(exchange.LocalPort); break;
            default: line.Put("-"u8); break;
        }
    }

    private static bool Is(string name, string expected) => name.Length == expected.Length && name.Equals(expected, StringComparison.OrdinalIgnoreCase);
}
