namespace UGreen.Py.Switching;

/// <summary>Offsets in bytes on the data page of the overflow handler.</summary>
internal static class OverflowData
{
    /// <summary>Address of the handler that was there before.</summary>
    public const int OldHandler = 0;

    /// <summary>Lowest address of the zone of request stacks.</summary>
    public const int Low = 8;

    /// <summary>Size of that zone, the guard above it included.</summary>
    public const int RegionBytes = 16;

    /// <summary>From one of its guard pages to the next.</summary>
    public const int Stride = 24;

    /// <summary>Size of a guard.</summary>
    public const int GuardBytes = 32;

    /// <summary>Number of its cores; the guard with this number ends the main stack.</summary>
    public const int Cores = 40;

    /// <summary>Length of the text about a green stack.</summary>
    public const int GreenBytes = 48;

    /// <summary>Length of the text about the main stack.</summary>
    public const int MainBytes = 56;

    /// <summary>Lowest address of the zone of spawn stacks.</summary>
    public const int SpawnLow = 64;

    /// <summary>Size of that zone.</summary>
    public const int SpawnRegionBytes = 72;

    /// <summary>From one of its guard pages to the next.</summary>
    public const int SpawnStride = 80;

    /// <summary>What to subtract from a guard's number in that zone to have the number of the core.</summary>
    public const int MinusCores = 88;

    /// <summary>Length of the text about a spawn stack.</summary>
    public const int SpawnBytes = 96;

    /// <summary>A second descriptor that gets the text; -1: none does.</summary>
    public const int TellFd = 104;

    /// <summary>Text about a green stack.</summary>
    public const int GreenText = 128;

    /// <summary>Last digit of the core's number within <see cref="GreenText"/>.</summary>
    public const int LastDigit = GreenText + 39;

    /// <summary>Text about the main stack.</summary>
    public const int MainText = 512;

    /// <summary>Text about a spawn stack.</summary>
    public const int SpawnText = 768;

    /// <summary>Last digit of the core's number within <see cref="SpawnText"/>.</summary>
    public const int SpawnLastDigit = SpawnText + 39;

    /// <summary>The kernel's struct sigaction for SIG_DFL: four zero words.</summary>
    public const int DefaultAction = 1024;

    /// <summary>Size of the data.</summary>
    public const int Bytes = DefaultAction + 32;
}
