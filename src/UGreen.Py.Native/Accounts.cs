using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>Users and groups by name, as the system knows them (/etc/passwd and what nsswitch.conf adds to it).</summary>
public static unsafe class Accounts
{
    private const int FirstBuffer = 4096;
    private const int LargestBuffer = 1 << 20;

    // glibc: struct passwd has 48 bytes (pw_name at 0, pw_uid at 16, pw_gid at 20), struct group 32 (gr_gid at 16).
    private const int EntryBytes = 64;
    private const int Id = 16;
    private const int UsersGroup = 20;

    private delegate int Lookup(byte* entry, byte* buffer, nuint bytes, void** result);

    /// <summary>The user of that name; null when there is none.</summary>
    /// <exception cref="LinuxException">The question could not be answered.</exception>
    public static Account? User(string name) => User("getpwnam", (entry, buffer, bytes, result) => Libc.getpwnam_r(name, entry, buffer, bytes, result));

    /// <summary>The user with that number; null when none is registered.</summary>
    /// <exception cref="LinuxException">The question could not be answered.</exception>
    public static Account? User(uint id) => User("getpwuid", (entry, buffer, bytes, result) => Libc.getpwuid_r(id, entry, buffer, bytes, result));

    /// <summary>The number of the group of that name; null when there is none.</summary>
    /// <exception cref="LinuxException">The question could not be answered.</exception>
    public static uint? Group(string name)
    {
        uint? id = null;
        // SAFETY: 'entry' is a struct group that glibc has filled in.
        Find("getgrnam", (entry, buffer, bytes, result) => Libc.getgrnam_r(name, entry, buffer, bytes, result), entry => id = *(uint*)((byte*)entry + Id));
        return id;
    }

    private static Account? User(string call, Lookup lookup)
    {
        Account? account = null;
        // SAFETY: 'entry' is a struct passwd that glibc has filled in; its strings lie in the buffer, which lives as long as the callback.
        Find(call, lookup, entry => account = new Account(Marshal.PtrToStringUTF8(*(nint*)entry) ?? "", *(uint*)((byte*)entry + Id), *(uint*)((byte*)entry + UsersGroup)));
        return account;
    }

    private static void Find(string call, Lookup lookup, Action<nint> found)
    {
        // SAFETY: the entry is larger than either structure, and the buffer has the length that glibc is told; both are pinned or in this frame while they are looked at.
        byte* entry = stackalloc byte[EntryBytes];
        for (var bytes = FirstBuffer; ; bytes *= 4)
        {
            fixed (byte* buffer = new byte[bytes])
            {
                void* result = null;
                var errno = lookup(entry, buffer, (nuint)bytes, &result);
                if (errno == Errno.ERANGE && bytes < LargestBuffer) continue;
                // Some sources of names say ENOENT or ESRCH for "no such name".
                if (errno is not (0 or Errno.ENOENT or Errno.ESRCH)) throw new LinuxException(call, errno);
                if (errno == 0 && result != null) found((nint)entry);
                return;
            }
        }
    }
}
