namespace UGreen.Py.Gateway;

/// <summary>How the application side left an exchange; the front acts on it after <see cref="GatewayExchange.Complete"/>.</summary>
public enum ExchangeOutcome
{
    /// <summary>Status, headers and the whole body are in <see cref="GatewayExchange.Head"/> and <see cref="GatewayExchange.WholeBody"/>; the front sends them in one write.</summary>
    Whole,

    /// <summary>Everything went through <see cref="GatewayExchange.Output"/>; the front only ends the response.</summary>
    Streamed,

    /// <summary>
    /// Status and headers are in <see cref="GatewayExchange.Head"/>, nothing was sent yet, and the body is the part of a file in <see cref="GatewayExchange.File"/>: the
    /// front copies it at the client's pace and closes the file.
    /// </summary>
    File,

    /// <summary>The response broke off after its headers were sent: the front must make the client see that (reset, not a clean end).</summary>
    Aborted,
}
