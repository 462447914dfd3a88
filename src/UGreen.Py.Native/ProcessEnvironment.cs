using System.Runtime.InteropServices;
using System.Text;

namespace UGreen.Py.Native;

/// <summary>The environment of this process. .NET keeps a copy of its own, which C libraries and Python do not see; this changes both.</summary>
public static unsafe class ProcessEnvironment
{
    /// <summary>Sets a variable, as UTF-8. For the start, while no other thread asks for one: C's environment has no lock that readers take.</summary>
    /// <exception cref="LinuxException">No memory, or the name is empty or holds '='.</exception>
    public static void Set(string name, string value)
    {
        if (Libc.setenv(name, value, overwrite: 1) != 0) throw LinuxException.Last("setenv");
        Environment.SetEnvironmentVariable(name, value);
    }

    /// <summary>Removes a variable, if there is one; as <see cref="Set"/>, for the start.</summary>
    /// <exception cref="LinuxException">The name is empty or holds '='.</exception>
    public static void Remove(string name)
    {
        if (Libc.unsetenv(name) != 0) throw LinuxException.Last("unsetenv");
        Environment.SetEnvironmentVariable(name, null);
    }

    /// <summary>C's environment as it stands: "NAME=value" each, without the zero at its end. As bytes, because a value need not be UTF-8.</summary>
    public static List<byte[]> Entries()
    {
        var entries = new List<byte[]>();

        // SAFETY: environ is a char** variable of the C library; its array ends with a null pointer and each entry with a zero.
        var environment = *(byte***)DynamicLibrary.GlobalSymbol("environ");
        if (environment == null) return entries;
        for (var entry = environment; *entry != null; entry++) entries.Add(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(*entry).ToArray());
        return entries;
    }

    /// <summary>Entries as of <see cref="Entries"/>, changed in place: a value to set, or null for a variable that shall go.</summary>
    internal static List<byte[]> Changed(List<byte[]> entries, IReadOnlyDictionary<string, string?> changes)
    {
        if (changes.Count == 0) return entries;
        var changed = changes.Keys.Select(name => Encoding.UTF8.GetBytes(name + "=")).ToList();
        entries.RemoveAll(entry => changed.Exists(name => entry.AsSpan().StartsWith(name)));
        entries.AddRange(from change in changes where change.Value is not null select CStrings.Encode($"{change.Key}={change.Value}"));
        return entries;
    }
}
