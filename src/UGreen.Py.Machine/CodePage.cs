using UGreen.Py.Native;

namespace UGreen.Py.Machine;

/// <summary>
/// Machine code made at run time: one page of code and, directly behind it in the same mapping, pages of writable data, so that the code reaches its data
/// by a constant RIP-relative distance.
/// <para>Invariant: no page is ever writable and executable at once. The code is written first and sealed then; there is no way back.</para>
/// <para>It is never unmapped: CPython keeps pointers into it until the process ends.</para>
/// </summary>
public sealed unsafe class CodePage
{
    /// <summary>Distance from the first byte of code to the first byte of data; also the most code that fits.</summary>
    public const int DataOffset = 4096;

    private const int PageBytes = 4096;

    private CodePage(nint address) => Address = address;

    /// <summary>Where the code starts.</summary>
    public nint Address { get; }

    /// <summary>Where the data starts; zeroed.</summary>
    public nint Data => Address + DataOffset;

    /// <summary>Maps, writes and seals.</summary>
    /// <param name="code">Position-independent code, at most <see cref="DataOffset"/> bytes.</param>
    /// <param name="dataBytes">How much data is wanted; rounded up to pages.</param>
    /// <exception cref="LinuxException">The kernel refused the mapping, or (SELinux: execmem) the right to execute it.</exception>
    public static CodePage Create(ReadOnlySpan<byte> code, int dataBytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(code.Length, DataOffset);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dataBytes);
        nuint bytes = (nuint)(DataOffset + ((dataBytes + PageBytes - 1) / PageBytes * PageBytes));
        nint address = Libc.mmap(0, bytes, Libc.Protection.Read | Libc.Protection.Write, Libc.Map.Private | Libc.Map.Anonymous, -1, 0);
        if (address == Libc.Map.Failed) throw LinuxException.Last("mmap");

        // SAFETY: the mapping is private to this method, writable, and at least DataOffset bytes long; the length was checked above.
        code.CopyTo(new Span<byte>((void*)address, DataOffset));
        if (Libc.mprotect(address, DataOffset, Libc.Protection.Read | Libc.Protection.Execute) != 0)
        {
            throw LinuxException.Last(
                "mprotect",
                "The system forbids code made at run time (execmem), which the green switch needs, as the .NET runtime does.");
        }

        return new CodePage(address);
    }
}
