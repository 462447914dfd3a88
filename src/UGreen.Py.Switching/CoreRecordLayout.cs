namespace UGreen.Py.Switching;

/// <summary>
/// Offsets in bytes of the fields of <see cref="CoreRecord"/>. The record, the emitter, the listings and the tests all use these names and none of them
/// writes a number. What a hub call touches fills the first cache line; the emitter's 8-bit displacements reach the whole record.
/// </summary>
internal static class CoreRecordLayout
{
    public const int StackLow = 0;
    public const int StackBytes = 8;
    public const int GreenSp = 16;
    public const int HubSp = 24;
    public const int Self = 32;
    public const int Args = 40;
    public const int NArgs = 48;
    public const int KwNames = 56;
    public const int Result = 64;
    public const int Callable = 72;
    public const int GreenContext = 80;
    public const int HubContext = 88;
    public const int Number = 96;
    public const int Wait = 104;

    /// <summary>Size of a record: two cache lines.</summary>
    public const int Bytes = 128;

    /// <summary>Alignment of the first record, and so of all.</summary>
    public const int Alignment = 64;
}
