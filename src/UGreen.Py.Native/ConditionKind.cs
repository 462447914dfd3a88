namespace UGreen.Py.Native;

/// <summary>What a condition variable of the C library was made with. The C library does not tell, and its struct differs between versions: where it notes that is found out once.</summary>
public static unsafe class ConditionKind
{
    private const int Words = 12; // sizeof(pthread_cond_t) is 48.
    private const int Monotonic = 1;
    private const int Shared = 1;

    private static readonly (int Word, uint Bits) s_clock = Find(static attributes => Libc.pthread_condattr_setclock(attributes, Monotonic));
    private static readonly (int Word, uint Bits) s_shared = Find(static attributes => Libc.pthread_condattr_setpshared(attributes, Shared));

    private delegate int Setter(void* attributes);

    /// <summary>The clock of its times.</summary>
    public static int Clock(nint condition) => Has(condition, s_clock) ? Monotonic : CTime.RealTime;

    /// <summary>Other processes may signal it.</summary>
    public static bool IsShared(nint condition) => Has(condition, s_shared);

    // SAFETY: the caller has a condition variable there.
    private static bool Has(nint condition, (int Word, uint Bits) note) => (((uint*)condition)[note.Word] & note.Bits) != 0;

    // SAFETY: locals as large as C's structs; neither is more than memory to the C library, so nothing has to be destroyed.
    private static (int Word, uint Bits) Find(Setter set)
    {
        var plain = stackalloc uint[Words];
        var special = stackalloc uint[Words];
        long attributes = 0;
        new Span<uint>(plain, Words).Clear();
        new Span<uint>(special, Words).Clear();
        _ = Libc.pthread_condattr_init(&attributes);
        _ = Libc.pthread_cond_init(plain, &attributes);
        _ = set(&attributes);
        _ = Libc.pthread_cond_init(special, &attributes);
        for (var i = 0; i < Words; i++)
        {
            if (plain[i] != special[i]) return (i, plain[i] ^ special[i]);
        }

        return (0, 0);
    }
}
