namespace UGreen.Py.Native;

/// <summary>Looks at memory of this process that may not be there.</summary>
public static unsafe class OwnMemory
{
    /// <summary>Copies words from an address. False, and nothing is known of the words: some of it cannot be read, or the kernel does not let this process ask.</summary>
    public static bool TryRead(nint address, Span<nint> into)
    {
        var bytes = (nuint)into.Length * (nuint)sizeof(nint);
        // SAFETY: the span is pinned and as long as said; the kernel checks the other address, and answers EFAULT where a plain look would end the process.
        fixed (nint* first = into)
        {
            var to = new Libc.IoVector { Base = first, Bytes = bytes };
            var from = new Libc.IoVector { Base = (void*)address, Bytes = bytes };
            return Libc.process_vm_readv(OwnProcess.Id, &to, 1, &from, 1, 0) == (nint)bytes;
        }
    }
}
