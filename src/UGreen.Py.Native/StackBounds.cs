namespace UGreen.Py.Native;

/// <summary>
/// The usable stack of a thread: <see cref="Low"/> is the lowest address above the C library's own guard, <see cref="High"/> the first one past the end.
/// </summary>
public readonly record struct StackBounds(nint Low, nint High)
{
    /// <summary>Size in bytes.</summary>
    public nint Bytes => High - Low;
}
