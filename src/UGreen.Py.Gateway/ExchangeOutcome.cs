namespace UGreen.Py.Gateway;

/// <summary>How the application side left an exchange; the front acts on it after <see cref="GatewayExchange.Complete"/>.</summary>
public enum ExchangeOutcome
{
    /// <summary>Status, headers and the whole body are in <see cref="GatewayExchange.Head"/> and <see cref="GatewayExchange.WholeBody"/>; the front sends them in one write.</summary>
    Whole,

    /// <summary>Everything went through <see cref="GatewayExchange.Output"/>; the front only ends the response.</summary>
    Streamed,

    /// <summary>The response broke off after its headers were sent: the front must make the client see that (reset, not a clean end).</summary>
    Aborted,
}
