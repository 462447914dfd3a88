using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>The three fd_sets of a call of select(): looked at without waiting, as often as needed, and changed only by the answer.</summary>
public readonly unsafe struct SelectSets(int count, nint read, nint write, nint except)
{
    private const int Sets = 3;
    private const int BitsPerWord = 64;

    private int Words => (count + BitsPerWord - 1) / BitsPerWord;

    /// <summary>What select() finds now. Above 0 the sets hold the answer.</summary>
    // SAFETY: each set has as many bits as the caller of select() says, in whole words; they are copied into memory of that size.
    public int Look(out int errno)
    {
        errno = 0;
        var words = Math.Max(1, Words);
        var copies = new long[Sets * words];
        fixed (long* first = copies)
        {
            Copy(read, first);
            Copy(write, first + words);
            Copy(except, first + (2 * words));
            var result = Libc.select(count, read == 0 ? null : first, write == 0 ? null : first + words, except == 0 ? null : first + (2 * words), (void*)CTime.Zero);
            if (result < 0) errno = Marshal.GetLastPInvokeError();
            if (result <= 0) return result;
            CopyBack(first, read);
            CopyBack(first + words, write);
            CopyBack(first + (2 * words), except);
            return result;
        }
    }

    /// <summary>Nothing was ready in time: the sets say so.</summary>
    // SAFETY: see Look.
    public void Clear()
    {
        foreach (var set in (ReadOnlySpan<nint>)[read, write, except])
        {
            if (set != 0) new Span<long>((void*)set, Words).Clear();
        }
    }

    public bool IsRead(int fd) => Has(read, fd);

    public bool IsWrite(int fd) => Has(write, fd);

    public bool IsExcept(int fd) => Has(except, fd);

    // SAFETY: see Look; fd is below the count.
    private static bool Has(nint set, int fd) => set != 0 && (((long*)set)[fd / BitsPerWord] >> (fd % BitsPerWord) & 1) != 0;

    // SAFETY: see Look.
    private void Copy(nint from, long* to)
    {
        if (from != 0) new ReadOnlySpan<long>((void*)from, Words).CopyTo(new Span<long>(to, Words));
    }

    // SAFETY: see Look.
    private void CopyBack(long* from, nint to)
    {
        if (to != 0) new ReadOnlySpan<long>(from, Words).CopyTo(new Span<long>((void*)to, Words));
    }
}
