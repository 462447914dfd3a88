namespace UGreen.Py.Switching;

/// <summary>Offsets in bytes on the data page of <see cref="ForkedChild"/>'s code.</summary>
internal static class ForkData
{
    /// <summary>0; 1 in a forked child.</summary>
    public const int Forked = 0;

    /// <summary>Address of <see cref="UGreen.Py.Native.OwnDescriptors"/>' memory.</summary>
    public const int Descriptors = 8;

    /// <summary>The object PyExc_RuntimeError.</summary>
    public const int RuntimeError = 16;

    /// <summary>Address of PyErr_Format.</summary>
    public const int Format = 24;

    /// <summary>Address of the function behind Python's pending calls.</summary>
    public const int Pending = 32;

    /// <summary>Address of fflush.</summary>
    public const int Flush = 40;

    /// <summary>Length of <see cref="EndText"/>.</summary>
    public const int EndBytes = 48;

    /// <summary>What a child changes: pairs of an address and the word to write there, ended by an address 0.</summary>
    public const int Words = 64;

    /// <summary>So many pairs fit.</summary>
    internal const int MostWords = 31; // internal: no offset, as the public ones are

    /// <summary>The handlers that are not a child's: pairs of an address and a size, ended by an address 0.</summary>
    public const int Handlers = Words + ((MostWords + 1) * 16);

    /// <summary>So many pairs fit.</summary>
    internal const int MostHandlers = 31;

    /// <summary>The kernel's struct sigaction for SIG_DFL: four zero words.</summary>
    public const int DefaultAction = Handlers + ((MostHandlers + 1) * 16);

    /// <summary>What a child is told that comes back to the server.</summary>
    public const int EndText = DefaultAction + 32;

    /// <summary>What a hub call raises in a child, for PyErr_Format.</summary>
    public const int RefusalText = EndText + 256;

    /// <summary>The signal mask of the thread that forks, while all signals are blocked.</summary>
    public const int SavedMask = RefusalText + 256;

    /// <summary>A signal mask with all of them.</summary>
    public const int AllSignals = SavedMask + 8;

    /// <summary>Size of the data.</summary>
    public const int Bytes = AllSignals + 8;
}
