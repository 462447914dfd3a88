namespace UGreen.Py.Gateway;

/// <summary>
/// The last link before the application side: sees to it that no connection takes all of it (docs/adr/0038). Here and not earlier, so that only what needs a core counts: the
/// files that a page is made of do not.
/// </summary>
/// <param name="next">The application side.</param>
public sealed class ShareKeeper(IGatewayApplication next) : IGatewayApplication
{
    /// <inheritdoc/>
    public void Submit(GatewayExchange exchange)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        if (exchange.Share is { } share) share.Submit(exchange, next);
        else next.Submit(exchange);
    }
}
