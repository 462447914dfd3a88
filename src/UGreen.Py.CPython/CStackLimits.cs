namespace UGreen.Py.CPython;

/// <summary>How far C code may go down a stack before CPython raises RecursionError.</summary>
public static class CStackLimits
{
    // CPython 3.14's own margins: an error is raised with 32 KiB left, and the process ends with 16 KiB left. A quarter of the stack where that is less.
    private const int SoftBytes = 2 * HardBytes;
    internal const int HardBytes = 16 * 1024;

    // CPython 3.12 and 3.13 count calls, 10,000 of them where threads have 8 MiB, which is less than 1 KiB for each. Three times as much, because a green stack has no room to spare; but
    // 3.13 frees what nested deallocations put off only where more than 100 are left.
    private const int BytesPerCall = 3 * 1024;
    private const int FewestBytesPerCall = 1024;
    private const int FewestCalls = 150;
    private const int MostCalls = 10_000;

    /// <summary>3.12, 3.13: C calls that a stack has room for.</summary>
    public static int Calls(nint bytes) => (int)Math.Clamp(bytes / BytesPerCall, Math.Min(FewestCalls, bytes / FewestBytesPerCall), MostCalls);

    /// <summary>3.14+: highest address, that of the error, that of the end.</summary>
    public static (nint Top, nint Soft, nint Hard) Addresses(nint low, nint bytes)
        => (low + bytes, low + Math.Min(SoftBytes, bytes / 4), low + Math.Min(HardBytes, bytes / 8));
}
