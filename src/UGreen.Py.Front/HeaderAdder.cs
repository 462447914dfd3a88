using UGreen.Py.Gateway;

namespace UGreen.Py.Front;

/// <summary>Gives the same headers to every response of what stands behind it. Any thread.</summary>
public sealed class HeaderAdder : IGatewayApplication
{
    private readonly HeaderField[] _headers;
    private readonly IGatewayApplication _next;

    /// <param name="headers">Checked: names are tokens, values hold no line break, none frames the message.</param>
    /// <param name="next">Gets every request.</param>
    public HeaderAdder(IEnumerable<HeaderField> headers, IGatewayApplication next)
    {
        _headers = [.. headers];
        _next = next;
    }

    /// <inheritdoc/>
    public void Submit(GatewayExchange exchange)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        // The head keeps them from request to request, so this is work only once per connection.
        exchange.Head.SetAlways(_headers);
        _next.Submit(exchange);
    }
}
