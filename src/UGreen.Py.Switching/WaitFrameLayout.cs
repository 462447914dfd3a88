namespace UGreen.Py.Switching;

/// <summary>What a call of the C library that waits has left on the green stack, as offsets in bytes from <see cref="CoreRecordLayout.Wait"/>'s address.</summary>
internal static class WaitFrameLayout
{
    /// <summary>Which function it is, by its stub.</summary>
    public const int Number = 0;

    /// <summary>errno before the call, and what it will be after it.</summary>
    public const int Errno = 8;

    /// <summary>What the stub's own try gave, -1 when it tried nothing.</summary>
    public const int Tried = 16;

    /// <summary>Address of the C library's function.</summary>
    public const int Real = 24;

    /// <summary>The six arguments that come in registers.</summary>
    public const int Arguments = 32;

    public const int RegisterArguments = 6;

    /// <summary>Size of the frame; above it are the return address and then the arguments that come on the stack.</summary>
    public const int Bytes = Arguments + (RegisterArguments * 8);

    public const int ReturnAddress = Bytes;

    /// <summary>The seventh argument, where there is one.</summary>
    public const int StackArguments = ReturnAddress + 8;

    /// <summary>What is taken off behind number and errno.</summary>
    public const int Rest = Bytes - 16;
}
