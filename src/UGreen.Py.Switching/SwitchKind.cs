namespace UGreen.Py.Switching;

/// <summary>How control passes between the main stack and a green stack.</summary>
public enum SwitchKind
{
    /// <summary>Our own machine code: no system call, tens of instructions. The default.</summary>
    Direct,

    /// <summary>The C library's swapcontext(): two system calls for the signal mask on every round trip. For comparison and for doubts about the first.</summary>
    Posix,
}
