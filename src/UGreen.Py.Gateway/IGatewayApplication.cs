namespace UGreen.Py.Gateway;

/// <summary>The application side as a front sees it.</summary>
public interface IGatewayApplication
{
    /// <summary>
    /// Takes over a filled exchange. Any thread may call. The application side answers by <see cref="GatewayExchange.Complete"/>, exactly once, from any thread,
    /// possibly before this call returns (queue full: 503; stopping: 503).
    /// </summary>
    void Submit(GatewayExchange exchange);
}
