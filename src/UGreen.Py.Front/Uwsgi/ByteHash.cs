namespace UGreen.Py.Front.Uwsgi;

/// <summary>A place in a small table for a short text (FNV-1a). Whoever finds collisions only makes a table forget.</summary>
internal static class ByteHash
{
    public static int Of(ReadOnlySpan<byte> bytes)
    {
        var hash = 2166136261u;
        foreach (var b in bytes) hash = (hash ^ b) * 16777619u;
        return (int)(hash ^ (hash >> 15));
    }
}
