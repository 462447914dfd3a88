namespace UGreen.Py.Front.Uwsgi;

/// <summary>What one packet may cost. A packet beyond a limit is answered 431 and its connection closed.</summary>
public sealed record UwsgiLimits
{
    /// <summary>Most that the protocol can say: the size of the variable block is a 16-bit number.</summary>
    public const int MaxBlockBytes = ushort.MaxValue;

    /// <summary>
    /// Longest variable block, in bytes: <c>--buffer-size</c>. The default is the protocol's own limit, not the 4096 of uWSGI: there a buffer of that size is held
    /// per core for ever, so it had to be small, and a long cookie became a 502; here the block waits in the connection's pooled pipe and is gone once it is read.
    /// </summary>
    public int BlockBytes { get; init; } = MaxBlockBytes;

    /// <summary>
    /// Most variables of one packet. A block could hold 13,000, and each becomes a Python object in a dict. 256 are the 100 headers that Kestrel's HTTP side takes, and
    /// plenty of <c>uwsgi_param</c> lines.
    /// </summary>
    public int Variables { get; init; } = 256;

    /// <summary>Longest name, in bytes. <c>HTTP_</c> and the longest registered header name take less than 60; names are kept in a table, values are not.</summary>
    public int NameBytes { get; init; } = 256;
}
