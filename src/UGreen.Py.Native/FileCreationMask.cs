namespace UGreen.Py.Native;

/// <summary>umask(2).</summary>
public static class FileCreationMask
{
    /// <summary>Sets it for the process.</summary>
    public static void Set(int mask) => _ = Libc.umask((uint)mask);
}
