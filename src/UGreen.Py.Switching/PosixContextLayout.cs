namespace UGreen.Py.Switching;

/// <summary>The parts of glibc's ucontext_t for x86-64 that are set before makecontext, in bytes; a test compares them with the installed header.</summary>
internal static class PosixContextLayout
{
    /// <summary>sizeof(ucontext_t) in glibc 2.28 and later (with the shadow-stack words).</summary>
    public const int Bytes = 968;

    /// <summary>What is allocated: room for a later glibc.</summary>
    public const int AllocatedBytes = 2048;

    /// <summary>The saved floating-point state is inside and wants 16.</summary>
    public const int Alignment = 64;

    /// <summary>uc_link: where to go when the entry function returns; ours never does.</summary>
    public const int Link = 8;

    /// <summary>uc_stack.ss_sp: lowest address of the stack.</summary>
    public const int StackLow = 16;

    /// <summary>uc_stack.ss_size.</summary>
    public const int StackBytes = 32;
}
