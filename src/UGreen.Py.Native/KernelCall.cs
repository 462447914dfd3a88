using System.Globalization;

namespace UGreen.Py.Native;

/// <summary>The system call that a thread of this process is in, for people. Any thread.</summary>
public static class KernelCall
{
    // x86-64. Those that may wait; the descriptor is their first argument where it says so.
    private static readonly Dictionary<int, (string Name, bool HasFd)> s_calls = new()
    {
        [0] = ("read", true), [1] = ("write", true), [7] = ("poll", false), [16] = ("ioctl", true), [17] = ("pread", true), [18] = ("pwrite", true), [19] = ("readv", true), [20] = ("writev", true),
        [23] = ("select", false), [34] = ("pause", false), [35] = ("nanosleep", false), [40] = ("sendfile", true), [42] = ("connect", true), [43] = ("accept", true), [44] = ("sendto", true),
        [45] = ("recvfrom", true), [46] = ("sendmsg", true), [47] = ("recvmsg", true), [61] = ("wait4", false), [65] = ("semop", false), [70] = ("msgrcv", false), [72] = ("fcntl", true),
        [73] = ("flock", true), [74] = ("fsync", true), [75] = ("fdatasync", true), [82] = ("rename", false), [87] = ("unlink", false), [128] = ("rt_sigtimedwait", false), [130] = ("rt_sigsuspend", false),
        [202] = ("futex", false), [217] = ("getdents", true), [220] = ("semtimedop", false), [230] = ("clock_nanosleep", false), [232] = ("epoll_wait", true), [247] = ("waitid", false),
        [257] = ("openat", false), [262] = ("newfstatat", false), [270] = ("pselect6", false), [271] = ("ppoll", false), [275] = ("splice", true), [277] = ("sync_file_range", true),
        [281] = ("epoll_pwait", true), [285] = ("fallocate", true), [288] = ("accept4", true), [299] = ("recvmmsg", true), [307] = ("sendmmsg", true), [426] = ("io_uring_enter", true), [441] = ("epoll_pwait2", true),
    };

    /// <summary>"read on fd 5 (pipe)", "futex (a lock)", "system call 321"; null: it runs, or the kernel does not say.</summary>
    /// <param name="thread">The kernel's number of the thread.</param>
    public static string? Of(int thread)
    {
        string[] words;
        try
        {
            words = File.ReadAllText($"/proc/self/task/{thread}/syscall").Split(' ');
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        // The number and six arguments; "running"; or -1 outside of any call.
        if (words.Length < 2 || !int.TryParse(words[0], CultureInfo.InvariantCulture, out var number) || number < 0) return null;
        if (!s_calls.TryGetValue(number, out var call)) return $"system call {number}";
        if (call.Name == "futex") return "futex (a lock)";
        return call.HasFd && int.TryParse(words[1].AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var fd) ? $"{call.Name} on {DescriptorName.Of(fd)}" : call.Name;
    }
}
