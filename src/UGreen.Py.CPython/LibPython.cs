using System.Reflection;
using System.Runtime.InteropServices;
using UGreen.Py.CPython.Api;
using UGreen.Py.Native;

namespace UGreen.Py.CPython;

/// <summary>
/// The one CPython of this process: the program itself, where that has the C API in it (adr/0034), or a shared library. That one is opened with global symbols, because extension
/// modules (Debian links them without libpython) look for the C API there.
/// Set once, before the first call into <see cref="CApi"/>; a process has one CPython for its whole life.
/// </summary>
public static class LibPython
{
    private static nint _handle;

    /// <summary>The program of this process is a CPython. A libpython beside it would share half of its symbols with it, so none can be loaded.</summary>
    public static bool IsOwnProgram { get; } = DynamicLibrary.TrySymbol(0, "Py_GetVersion", out _);

    /// <summary>Loads the library; once that has succeeded, a second call with any path throws <see cref="InvalidOperationException"/>.</summary>
    /// <param name="path">Null: this process's own program.</param>
    public static void Load(string? path)
    {
        if (_handle != 0) throw new InvalidOperationException("libpython is loaded already");
        if (IsOwnProgram != path is null) throw new InvalidOperationException(IsOwnProgram ? $"{path}: this program is a Python already" : "this program is no Python");
        nint handle;
        try
        {
            handle = path is null ? DynamicLibrary.OpenProgram() : DynamicLibrary.OpenGlobal(path);
        }
        catch (DllNotFoundException error)
        {
            throw new PythonStartException($"{path} could not be loaded: {error.Message}", error);
        }

        if (!DynamicLibrary.TrySymbol(handle, "Py_GetVersion", out _)) throw new PythonStartException($"{path} is not a libpython: it exports no Py_GetVersion");
        _handle = handle;
        NativeLibrary.SetDllImportResolver(typeof(CApi).Assembly, static (name, _, _) => name == CApi.Library ? _handle : 0);
    }

    /// <summary>Address of an exported function or variable; throws <see cref="PythonStartException"/> when this libpython has none of that name.</summary>
    public static nint Symbol(string name)
    {
        if (DynamicLibrary.TrySymbol(_handle, name, out var address)) return address;
        throw new PythonStartException($"this libpython exports no {name}: is it CPython?");
    }
}
