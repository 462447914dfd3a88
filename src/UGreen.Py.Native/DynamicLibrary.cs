using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>dlopen and dlsym, where <see cref="NativeLibrary"/> does not do: extension modules need libpython's symbols to be global.</summary>
public static class DynamicLibrary
{
    // dlerror keeps its text per thread, but only until the next call of the dl family: the pair of calls must not be split.
    private static readonly Lock s_gate = new();

    /// <summary>Loads a shared library with all symbols bound now and visible to libraries that are loaded later. It is never unloaded.</summary>
    /// <exception cref="DllNotFoundException">With the text of dlerror.</exception>
    public static nint OpenGlobal(string path) => Open(path);

    /// <summary>The program of this process, and all that is loaded globally.</summary>
    public static nint OpenProgram() => Open(null);

    private static nint Open(string? path)
    {
        lock (s_gate)
        {
            nint handle = Libc.dlopen(path, Libc.DlFlags.Now | Libc.DlFlags.Global);
            return handle != 0 ? handle : throw new DllNotFoundException(LastError() ?? path);
        }
    }

    /// <summary>Finds a symbol. False, and 0, when the library has none of that name.</summary>
    public static bool TrySymbol(nint handle, string name, out nint address)
    {
        lock (s_gate) address = Libc.dlsym(handle, name);
        return address != 0;
    }

    /// <summary>Finds a symbol that must be there.</summary>
    /// <exception cref="EntryPointNotFoundException">With the text of dlerror.</exception>
    public static nint Symbol(nint handle, string name)
    {
        lock (s_gate)
        {
            nint address = Libc.dlsym(handle, name);
            return address != 0 ? address : throw new EntryPointNotFoundException(LastError() ?? name);
        }
    }

    /// <summary>Finds a symbol of the C library or of anything else that is loaded globally.</summary>
    /// <exception cref="EntryPointNotFoundException">With the text of dlerror.</exception>
    public static nint GlobalSymbol(string name) => Symbol(0, name);

    /// <summary>The file of the library or program that has this address; null: none has.</summary>
    // SAFETY: the loader writes the struct, whose text lives as long as the library; the caller got the address from code of it that is running.
    public static unsafe string? FileOf(nint address)
    {
        Libc.DlInfo info;
        return Libc.dladdr(address, &info) == 0 ? null : Marshal.PtrToStringUTF8(info.File);
    }

    private static string? LastError() => Marshal.PtrToStringUTF8(Libc.dlerror());
}
