namespace UGreen.Py.Native;

/// <summary>What this process is to others.</summary>
public static unsafe class OwnProcess
{
    private const int MaximumName = 15;
    private const nuint AtSecure = 23; // elf.h

    /// <summary>The program's file gave this process something that its user does not have (file capabilities, set-user-ID). Another program would not have it.</summary>
    public static bool HasPrivilegesOfItsFile => Libc.getauxval(AtSecure) != 0;

    /// <summary>Its number, asked of the kernel: in a forked child it is the child's, where Environment.ProcessId goes on with the parent's.</summary>
    public static int Id => Libc.getpid();

    /// <summary>The kernel's number of the calling OS thread.</summary>
    public static int ThreadId => Libc.gettid();

    /// <summary>A descriptor that becomes readable when the process has ended, closed on exec; -1: there is none to be had.</summary>
    public static int OpenPidFd(int pid)
    {
        const int PidFdOpen = 434; // the same on all CPUs
        return (int)Libc.syscall(PidFdOpen, pid, 0);
    }

    /// <summary>Whoever forks calls the first of these C functions before, and the child the second before fork() returns there. Without arguments; 0: none.</summary>
    public static void RegisterFork(nint before, nint child)
    {
        if (Libc.__register_atfork(before, 0, child, 0) != 0) throw new LinuxException("__register_atfork", Errno.ENOMEM);
    }

    /// <summary>What top, and ps without options, call the calling thread; of the main thread it is the process's name. At most 15 bytes of it.</summary>
    public static void SetName(string name)
    {
        var bytes = new byte[MaximumName + 1];
        _ = System.Text.Encoding.UTF8.TryGetBytes(name, bytes.AsSpan(0, MaximumName), out _);
        // SAFETY: prctl reads a string of at most 16 bytes, which ends with a zero here, and copies it.
        fixed (byte* first = bytes) _ = Libc.prctl(Libc.ProcessControl.SetName, (nint)first, 0, 0, 0);
    }

    /// <summary>Becomes another program: same pid, same parent, same descriptors but for those that are closed on exec. Returns only when that failed.</summary>
    /// <param name="path">The program.</param>
    /// <param name="arguments">argv[0] included.</param>
    /// <param name="changes">What shall differ in the environment; null: the variable goes.</param>
    /// <param name="inherited">A descriptor that the program shall have although it is closed on exec.</param>
    /// <exception cref="LinuxException">Always, when it returns: ENOENT, EACCES, E2BIG …</exception>
    public static void Become(string path, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?> changes, int inherited)
        => Become(path, [.. arguments.Select(CStrings.Encode)], changes, inherited);

    /// <summary>As <see cref="Become(string, IReadOnlyList{string}, IReadOnlyDictionary{string, string?}, int)"/>: the program that runs, with the arguments that it was started with.</summary>
    /// <exception cref="LinuxException">Always, when it returns.</exception>
    public static void BecomeAgain(IReadOnlyDictionary<string, string?> changes, int inherited)
    {
        // Of the kernel, byte for byte: not every argument is UTF-8, and what starts .NET may have had some of its own.
        const string CommandLine = "/proc/self/cmdline";
        if (Environment.ProcessPath is not { } path || !File.Exists(CommandLine)) throw new LinuxException("execve of this program", Errno.ENOENT);
        var arguments = Split(File.ReadAllBytes(CommandLine));
        if (arguments.Count == 0) arguments.Add(CStrings.Encode(path));
        Become(path, arguments, changes, inherited);
    }

    private static List<byte[]> Split(ReadOnlySpan<byte> commandLine)
    {
        var arguments = new List<byte[]>();
        while (commandLine.IndexOf((byte)0) is >= 0 and var end)
        {
            arguments.Add(commandLine[..end].ToArray());
            commandLine = commandLine[(end + 1)..];
        }

        return arguments;
    }

    private static void Become(string path, IReadOnlyList<byte[]> arguments, IReadOnlyDictionary<string, string?> changes, int inherited)
    {
        if (Libc.fcntl(inherited, Libc.FileControl.SetFd, 0) != 0) throw LinuxException.Last("fcntl");
        using var file = new CStrings([CStrings.Encode(path)]);
        using var list = new CStrings(arguments);
        using var environment = new CStrings(ProcessEnvironment.Changed(ProcessEnvironment.Entries(), changes));
        // SAFETY: both arrays end with a null pointer and live until the call has returned, which it does only without effect.
        _ = Libc.execve(file.Pointer[0], list.Pointer, environment.Pointer);
        var error = LinuxException.Last($"execve of {path}");
        _ = FileDescriptors.SetCloseOnExec(inherited);
        throw error;
    }
}
