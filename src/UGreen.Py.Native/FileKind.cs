namespace UGreen.Py.Native;

/// <summary>What stands at a path.</summary>
public static unsafe class FileKind
{
    private const int WorkingDirectory = -100; // AT_FDCWD
    private const uint WantsType = 1; // STATX_TYPE
    private const int StatxBytes = 256;
    private const int ModeOffset = 28;
    private const int TypeMask = 0xF000;
    private const int Regular = 0x8000;

    /// <summary>
    /// True for a regular file, or a symbolic link to one. False for what does not exist or may not be looked at, and for everything that bytes are not stored in: directories,
    /// named pipes, sockets, devices. Opening one of those could wait for ever, so none is opened.
    /// </summary>
    /// <param name="path">An absolute path.</param>
    public static bool IsRegularFile(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var status = stackalloc byte[StatxBytes];

        // SAFETY: the kernel writes one struct statx, which has 256 bytes, into the buffer of that size; the two bytes of stx_mode lie within it.
        return Libc.statx(WorkingDirectory, path, 0, WantsType, status) == 0 && (*(ushort*)(status + ModeOffset) & TypeMask) == Regular;
    }
}
