namespace UGreen.Py.Switching;

/// <summary>Offsets in bytes of the words on the data page behind the trampolines; the code reaches them relative to rip.</summary>
internal static class TrampolineData
{
    /// <summary>
    /// Record of the core whose green thread runs, or 0. Written by the hub thread only; any thread may read it, since a record never goes away and the
    /// stack-range check that follows is false for a foreign thread whatever core it read.
    /// </summary>
    public const int Cell = 0;

    /// <summary>Address of PyObject_CallNoArgs. Constant.</summary>
    public const int CallNoArgs = 64;

    /// <summary>Address of the slow path. Constant.</summary>
    public const int Fallback = 72;

    /// <summary>Address of swapcontext; posix only. Constant.</summary>
    public const int SwapContext = 80;

    /// <summary>Address of setcontext; posix only. Constant.</summary>
    public const int SetContext = 88;

    /// <summary>0; in a forked child the address of what ends it (x64-fork.s): the stack that a green thread would go back to is the server's.</summary>
    public const int Child = 96;

    /// <summary>Size of the data; the cell has a cache line of its own.</summary>
    public const int Bytes = 128;
}
