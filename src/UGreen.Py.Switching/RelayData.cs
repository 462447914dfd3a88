namespace UGreen.Py.Switching;

/// <summary>Offsets in bytes on the data page of <see cref="SignalRelay"/>'s code. The two tables are indexed by the number of the signal, times 8.</summary>
internal static class RelayData
{
    /// <summary>The kernel's number of the hub thread; 0: whatever thread it is shall take the signal.</summary>
    public const int HubThread = 0;

    /// <summary>Number of this process.</summary>
    public const int Process = 8;

    /// <summary>1 when a signal has come to the hub thread since the hub looked.</summary>
    public const int Arrived = 16;

    /// <summary>The descriptor that wakes the hub.</summary>
    public const int WakeFd = 24;

    /// <summary>Addresses of the handlers that Python has installed.</summary>
    public const int Handlers = 64;

    /// <summary>Addresses of the handlers that are called after those, or 0.</summary>
    public const int Chains = Handlers + ((X64ForkHandler.LastSignal + 1) * 8);

    /// <summary>Size of the data.</summary>
    public const int Bytes = Chains + ((X64ForkHandler.LastSignal + 1) * 8);
}
