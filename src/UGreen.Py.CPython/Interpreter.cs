using System.Runtime.InteropServices;
using UGreen.Py.CPython.Api;
using UGreen.Py.CPython.Layout;

namespace UGreen.Py.CPython;

/// <summary>Starts CPython on the calling thread, which becomes Python's main thread. Once per process; never finalised (finalising it under a live CLR hangs or crashes for others).</summary>
public static class Interpreter
{
    private static nint s_programName;

    /// <summary>The layout table of the running version. Valid after <see cref="Start"/>.</summary>
    public static ThreadStateLayout Layout { get; private set; } = null!;

    /// <summary>"3.11.2": the version of the loaded library.</summary>
    public static string Version { get; private set; } = "";

    /// <summary>
    /// Loads and initialises. Afterwards the calling thread holds the GIL. Python installs no signal handlers: SIGINT and SIGTERM are the server's.
    /// Environment variables (PYTHONPATH …) count as they do for <c>python3</c>. Throws <see cref="PythonStartException"/>.
    /// </summary>
    // SAFETY: every struct that C fills is a local of ours, at least as large as C's; the program name is kept for ever, as Py_SetProgramName asks.
    public static unsafe void Start(PythonInstallation installation)
    {
        LibPython.Load(installation.LibraryPath);
        var fullVersion = Marshal.PtrToStringUTF8((nint)CApi.Py_GetVersion()) ?? "";
        Version = fullVersion.Split(' ')[0];
        Layout = DebugOffsets.Check(ThreadStateLayouts.For(fullVersion), Version, PublishedOffsets);

        // "Python" preconfiguration: UTF-8 mode in the C locale, as python3 does; without it, file names and open() would be ASCII under systemd and in containers.
        PyPreConfig pre = default;
        CApi.PyPreConfig_InitPythonConfig(&pre);
        pre.ParseArgv = 0;
        CApi.Py_PreInitialize(&pre).ThrowIfFailed("pre-initialisation");

        // wchar_t is 4 bytes on Linux.
        var program = installation.ProgramName;
        s_programName = (nint)NativeMemory.AllocZeroed((nuint)(program.Length + 1), sizeof(int));
        var wide = new Span<int>((void*)s_programName, program.Length + 1);
        var at = 0;
        foreach (var rune in program.EnumerateRunes()) wide[at++] = rune.Value;
        CApi.Py_SetProgramName((int*)s_programName);
        CApi.Py_InitializeEx(0);
        if (PyText.ToText(CApi.PySys_GetObject("abiflags"))?.Contains('d', StringComparison.Ordinal) == true)
            throw ThreadStateLayouts.Unsupported(Version, "it is a debug build, whose objects and thread state are others");
        LayoutProbe.Check(Layout);
    }

    // SAFETY: _PyRuntime begins with its _Py_DebugOffsets in every version that is asked for it, and is far larger than them.
    private static unsafe ReadOnlySpan<byte> PublishedOffsets(int bytes) => new((void*)LibPython.Symbol("_PyRuntime"), bytes);
}
