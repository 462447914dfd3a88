namespace UGreen.Py.Hub.Blocking;

/// <summary>What a call of the C library returns.</summary>
/// <param name="Result">Its value.</param>
/// <param name="Errno">errno after it; null: as it was.</param>
internal readonly record struct BlockingAnswer(nint Result, int? Errno = null)
{
    /// <summary>-1 and an errno.</summary>
    public static BlockingAnswer Error(int errno) => new(-1, errno);
}
