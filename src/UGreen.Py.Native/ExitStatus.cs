namespace UGreen.Py.Native;

/// <summary>How a process ended.</summary>
/// <param name="Code">Its exit code; 0 when a signal ended it.</param>
/// <param name="Signal">The signal that ended it; 0 when it exited.</param>
/// <param name="IsCoreDumped">It left a core file.</param>
public readonly record struct ExitStatus(int Code, int Signal, bool IsCoreDumped)
{
    /// <summary>It ended by itself, with <see cref="Code"/>.</summary>
    public bool IsExited => Signal == 0;

    /// <summary>"SIGSEGV"; null when it exited.</summary>
    public string? SignalName => Signal == 0 ? null : SignalNames.Of(Signal);

    /// <summary>As a shell's $?: the code, or 128 and the number of the signal.</summary>
    public int ShellCode => Signal == 0 ? Code : 128 + Signal;

    /// <summary>"exited with code 1", "killed by SIGSEGV (core dumped)".</summary>
    public override string ToString() => Signal == 0 ? $"exited with code {Code}" : $"killed by {SignalName}{(IsCoreDumped ? " (core dumped)" : "")}";
}
