using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace UGreen.Py.Native;

/// <summary>
/// Starts programs and says how they ended. The runtime's own Process class is not used: it tells 137 for both an exit code of 137 and an end by SIGKILL, it reaps by itself, and
/// it can neither hand on descriptors nor begin a session. A process that uses this must not use that one for the same children. Any thread.
/// </summary>
public static unsafe class SpawnedProcess
{
    // glibc: posix_spawn_file_actions_t has 80 bytes, posix_spawnattr_t 336, sigset_t 128, siginfo_t 128.
    private const int OpaqueBytes = 512;
    private const int SiginfoCode = 8;
    private const int SiginfoPid = 16;
    private const int SiginfoStatus = 24;
    private const int LastStandard = 2;
    private const nint PidFdOpen = 434;

    /// <summary>
    /// Starts a program: with the signal mask empty and every signal at its default, as this process's own mask and ignored signals mean nothing to it.
    /// </summary>
    /// <returns>Its pid; somebody has to <see cref="Wait"/> for it.</returns>
    /// <exception cref="LinuxException">It cannot be started: ENOENT, EACCES, EMFILE …; EBADF: a descriptor that it shall get is not open.</exception>
    public static int Start(SpawnRequest request)
    {
        // The children of a process that ignores it leave no status behind.
        SignalDisposition.StopIgnoring(Libc.Signal.Child);
        // SAFETY: the buffers are larger than glibc's structures, live in this frame, and are given back before it is left.
        byte* actions = stackalloc byte[OpaqueBytes];
        byte* attributes = stackalloc byte[OpaqueBytes];
        Check("posix_spawn_file_actions_init", Libc.posix_spawn_file_actions_init(actions));
        try
        {
            Check("posix_spawnattr_init", Libc.posix_spawnattr_init(attributes));
            var copies = new List<SafeFileHandle>();
            try
            {
                SetAttributes(attributes, request.NewSession);
                MapDescriptors(actions, request.Descriptors, copies);
                return Spawn(request, actions, attributes);
            }
            finally
            {
                foreach (var copy in copies) copy.Dispose();
                _ = Libc.posix_spawnattr_destroy(attributes);
            }
        }
        finally
        {
            _ = Libc.posix_spawn_file_actions_destroy(actions);
        }
    }

    /// <summary>Waits until a child has ended, and takes it from the kernel's table.</summary>
    /// <exception cref="LinuxException">ECHILD: it is no child of ours, or was taken before.</exception>
    public static ExitStatus Wait(int pid) => WaitFor(pid, 0)!.Value;

    /// <summary>As <see cref="Wait"/>; null when it still runs.</summary>
    /// <exception cref="LinuxException">ECHILD: it is no child of ours, or was taken before.</exception>
    public static ExitStatus? TryWait(int pid) => WaitFor(pid, Libc.WaitOptions.NoHang);

    /// <summary>kill(2).</summary>
    /// <param name="pid">Whom; negative: the process group of that number.</param>
    /// <param name="signal">What; 0 only asks whether there is such a process.</param>
    /// <returns>0, or the errno: ESRCH when there is none, EPERM when it belongs to another user.</returns>
    public static int Signal(int pid, int signal) => Libc.kill(pid, signal) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>A descriptor for a process, readable once it has ended, also before anybody waited for it. Close-on-exec.</summary>
    /// <exception cref="LinuxException">ESRCH: there is no such process.</exception>
    public static SafeFileHandle OpenPidFd(int pid)
    {
        var fd = Libc.syscall(PidFdOpen, pid, 0);
        return fd < 0 ? throw LinuxException.Last("pidfd_open") : new SafeFileHandle(fd, ownsHandle: true);
    }

    // SAFETY: called by Start with buffers of OpaqueBytes; glibc copies the signal sets.
    private static void SetAttributes(byte* attributes, bool newSession)
    {
        byte* none = stackalloc byte[OpaqueBytes];
        byte* all = stackalloc byte[OpaqueBytes];
        _ = Libc.sigemptyset(none);
        _ = Libc.sigfillset(all);
        Check("posix_spawnattr_setsigmask", Libc.posix_spawnattr_setsigmask(attributes, none));
        Check("posix_spawnattr_setsigdefault", Libc.posix_spawnattr_setsigdefault(attributes, all));
        var flags = (short)(Libc.Spawn.SetSignalMask | Libc.Spawn.SetSignalDefaults | (newSession ? Libc.Spawn.SetSession : 0));
        Check("posix_spawnattr_setflags", Libc.posix_spawnattr_setflags(attributes, flags));
    }

    /// <summary>
    /// dup2 in the child runs one after the other, so one could overwrite what a later one needs (3 to 4, 4 to 3). Each source is therefore copied to a number above all targets
    /// first, which is never equal to its target either: dup2 onto itself would leave close-on-exec set.
    /// </summary>
    // SAFETY: called by Start with initialised file actions; numbers only are handed on.
    private static void MapDescriptors(byte* actions, IReadOnlyDictionary<int, int> descriptors, List<SafeFileHandle> copies)
    {
        var highest = descriptors.Keys.Append(LastStandard).Max();
        foreach (var (to, from) in descriptors)
        {
            var copy = Libc.fcntl(from, Libc.FileControl.DuplicateCloseOnExec, highest + 1);
            if (copy < 0) throw LinuxException.Last($"fcntl(F_DUPFD_CLOEXEC) of descriptor {from}");
            copies.Add(new SafeFileHandle(copy, ownsHandle: true));
            Check("posix_spawn_file_actions_adddup2", Libc.posix_spawn_file_actions_adddup2(actions, copy, to));
        }

        for (var gap = LastStandard + 1; gap <= highest; gap++)
        {
            // glibc does not mind when it is not open.
            if (!descriptors.ContainsKey(gap)) Check("posix_spawn_file_actions_addclose", Libc.posix_spawn_file_actions_addclose(actions, gap));
        }

        Check("posix_spawn_file_actions_addclosefrom_np", Libc.posix_spawn_file_actions_addclosefrom_np(actions, highest + 1));
    }

    // SAFETY: called by Start with initialised structures; the strings live until the call has returned, when the child has its own copies.
    private static int Spawn(SpawnRequest request, byte* actions, byte* attributes)
    {
        using var path = new CStrings([CStrings.Encode(request.Path)]);
        using var arguments = new CStrings([.. request.Arguments.Select(CStrings.Encode)]);
        using var environment = new CStrings(EnvironmentOf(request));
        int pid;
        var errno = Libc.posix_spawnp(&pid, path.Pointer[0], actions, attributes, arguments.Pointer, environment.Pointer);
        return errno == 0 ? pid : throw new LinuxException($"posix_spawn of {request.Path}", errno);
    }

    private static List<byte[]> EnvironmentOf(SpawnRequest request)
        => ProcessEnvironment.Changed(request.Environment is { } whole ? [.. whole.Select(v => CStrings.Encode($"{v.Key}={v.Value}"))] : ProcessEnvironment.Entries(), request.Changes);

    private static ExitStatus? WaitFor(int pid, int options)
    {
        // SAFETY: a buffer larger than siginfo_t, read at the offsets that 64-bit Linux gives si_code, si_pid and si_status.
        byte* info = stackalloc byte[OpaqueBytes];
        new Span<byte>(info, OpaqueBytes).Clear();
        while (Libc.waitid(Libc.WaitOptions.Process, pid, info, Libc.WaitOptions.Exited | options) != 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno != Errno.EINTR) throw new LinuxException($"waitid of process {pid}", errno);
        }

        // With WNOHANG nothing is written while it runs.
        if (*(int*)(info + SiginfoPid) == 0) return null;
        var status = *(int*)(info + SiginfoStatus);
        return *(int*)(info + SiginfoCode) switch
        {
            Libc.WaitOptions.CodeExited => new ExitStatus(status, 0, IsCoreDumped: false),
            Libc.WaitOptions.CodeDumped => new ExitStatus(0, status, IsCoreDumped: true),
            _ => new ExitStatus(0, status, IsCoreDumped: false),
        };
    }

    private static void Check(string call, int errno)
    {
        if (errno != 0) throw new LinuxException(call, errno);
    }
}
