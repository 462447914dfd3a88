namespace UGreen.Py.Native;

/// <summary>
/// The user and group of this process. POSIX has one for the whole process, Linux one for each thread: glibc's setuid, setgid and setgroups make all threads change theirs
/// (nptl(7), "C library/kernel differences"), by a signal that the runtime does not use. So a thread that the runtime started before is not left behind as root. The raw system
/// calls would do that; these must stay glibc's functions.
/// </summary>
public static unsafe class Credentials
{
    /// <summary>Leaves an owner or a group as it is, for <see cref="ChangeOwner(string, uint, uint)"/>.</summary>
    public const uint Unchanged = uint.MaxValue;

    /// <summary>Number of the user that the process acts as; 0 is root.</summary>
    public static uint User => Libc.geteuid();

    /// <summary>Number of the group that the process acts as.</summary>
    public static uint Group => Libc.getegid();

    /// <summary>
    /// Becomes another user for ever: supplementary groups first, then the group, then the user, because each needs what the next gives up. Afterwards it is checked that nothing
    /// was kept and that root cannot be had again.
    /// </summary>
    /// <param name="user">Number of the user.</param>
    /// <param name="group">Number of the group.</param>
    /// <param name="name">The user's name, for its supplementary groups; null: the group alone.</param>
    /// <exception cref="LinuxException">Not permitted; some of it may have been done, so the process has to end.</exception>
    /// <exception cref="InvalidOperationException">The old user was not given up.</exception>
    public static void Become(uint user, uint group, string? name)
    {
        // SAFETY: one number of this frame is read.
        if (name is null ? Libc.setgroups(1, &group) != 0 : Libc.initgroups(name, group) != 0) throw LinuxException.Last(name is null ? "setgroups" : "initgroups");
        if (Libc.setgid(group) != 0) throw LinuxException.Last("setgid");
        if (Libc.setuid(user) != 0) throw LinuxException.Last("setuid");

        if (!Has(user, group)) throw new InvalidOperationException("the process kept its old user or group");
        if (user != 0 && Libc.setuid(0) == 0) throw new InvalidOperationException("the process can become root again");
    }

    /// <summary>chown(2); <see cref="Unchanged"/> for one that shall stay.</summary>
    /// <exception cref="LinuxException">Not permitted, or there is no such file.</exception>
    public static void ChangeOwner(string path, uint user, uint group)
    {
        if (Libc.chown(path, user, group) != 0) throw LinuxException.Last("chown");
    }

    /// <summary>fchown(2).</summary>
    /// <exception cref="LinuxException">Not permitted.</exception>
    public static void ChangeOwner(int fd, uint user, uint group)
    {
        if (Libc.fchown(fd, user, group) != 0) throw LinuxException.Last("fchown");
    }

    // Real, effective and saved: a saved one of root would be a way back.
    private static bool Has(uint user, uint group)
    {
        // SAFETY: six numbers of this frame are written.
        uint* ids = stackalloc uint[6];
        if (Libc.getresuid(ids, ids + 1, ids + 2) != 0) throw LinuxException.Last("getresuid");
        if (Libc.getresgid(ids + 3, ids + 4, ids + 5) != 0) throw LinuxException.Last("getresgid");
        return ids[0] == user && ids[1] == user && ids[2] == user && ids[3] == group && ids[4] == group && ids[5] == group;
    }
}
