using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using UGreen.Py.CPython;
using UGreen.Py.Machine;
using UGreen.Py.Native;
using UGreen.Py.Server.Options;
using UGreen.Py.Switching;
using UGreen.Py.Wsgi;

namespace UGreen.Py.Server.Process;

/// <summary>
/// The program of a process that serves, with <see cref="PreloadLibrary"/> before the C library. It is one of two.
/// <para>
/// 1. Python's own executable, where that holds CPython itself, as Debian's does: it evaluates bytecode a quarter faster than the shared library of the same version, and a Python that has
/// no shared library can be used at all. The preloaded library puts this server in place of its main function (adr/0034). It is started as <c>python3.11 as_library.py ARGUMENTS…</c>; where
/// the dynamic loader does not preload (a program with file capabilities, no /proc, a security module), Python runs the script, which becomes this program again.
/// </para>
/// <para>2. This server's own, which loads libpython: started once more, for the sake of the library alone (adr/0044).</para>
/// <para>The library is an open file without a name, so nobody else can have made it, and nothing of it is left when the server is killed.</para>
/// </summary>
internal sealed class PythonHost
{
    private static string? s_problem;
    private static HostMark? s_mark;

    private readonly string? _python;

    private PythonHost(string? python) => _python = python;

    /// <summary>This server's own executable.</summary>
    public static string HostPath { get; } = Path.Combine(AppContext.BaseDirectory, "ugreen-py");

    private static string Script { get; } = Path.Combine(AppContext.BaseDirectory, "as_library.py");

    /// <summary>This process was to run in Python's executable, and came back.</summary>
    public static bool WasRefused { get; private set; }

    /// <summary>
    /// Undoes what the start did to this process. Where the dynamic loader did not do as it was told, or a master of another version has started it, the process is started once more.
    /// Call it first of all, while nothing else was taken out of the environment.
    /// </summary>
    public static void Arrive()
    {
        if (HostMark.Take() is not { } mark) return;
        s_mark = mark;
        WasRefused = mark.PythonWasRefused || (!mark.IsOwn && !LibPython.IsOwnProgram);
        if (MayBeStartedAgain(mark)) StartAgain();
        if (!LibPython.IsOwnProgram) return;
        ProcessTitle.RemoveArgument(1);
        OwnProcess.SetName("ugreen-py");
    }

    /// <summary>How a process for these options is to be started; null: by this server's executable as it is, with nothing preloaded.</summary>
    public static PythonHost? For(ServerOptions options) => ForPython(options) ?? ForOwn(options);

    /// <summary>Lets this process become a server for <paramref name="arguments"/>. Returns where it is to go on as it is.</summary>
    public static void Become(ServerOptions options, IReadOnlyList<string> arguments)
    {
        try
        {
            ForPython(options)?.Become(arguments);
        }
        catch (LinuxException e)
        {
            Console.Error.Write($"ugreen-py: warning: Python's executable cannot be run, its library is used: {e.Message}\n");
        }

        try
        {
            ForOwn(options)?.Become(arguments);
        }
        catch (LinuxException e)
        {
            NotAgain(e);
        }
    }

    /// <summary>Starts what was to be started by this server's executable.</summary>
    /// <param name="host">Null: by that.</param>
    /// <param name="request">What.</param>
    /// <returns>Its pid.</returns>
    /// <exception cref="LinuxException">It cannot be started.</exception>
    public static int Start(PythonHost? host, SpawnRequest request)
    {
        // Open until the program has been started.
        using var library = host?.LibraryIfPossible();
        return SpawnedProcess.Start(library is null ? request : host!.Changed(request, library));
    }

    /// <summary>Why blocking calls cannot wait green in this process, for people.</summary>
    public static string WhyNothingIsPreloaded()
    {
        if (PreloadedStubs.AreOfAnotherVersion) return "the library that was preloaded is of another version of this server";
        if (Obstacle() is { } obstacle) return obstacle;
        return s_problem ?? (s_mark is { IsOwn: true } ? "the dynamic loader has left out what it was to preload (LD_PRELOAD)" : "this process was started without the library that it needs");
    }

    /// <summary>Why the dynamic loader could preload nothing into this program; null: it could.</summary>
    private static string? Obstacle()
    {
        if (OwnProcess.HasPrivilegesOfItsFile) return "this program's file has capabilities or is set-user-ID, so the dynamic loader preloads nothing";
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64) return "what is to be preloaded is machine code for x86-64";
        if (!Directory.Exists("/proc/self/fd")) return "there is no /proc, by which the dynamic loader finds what it is to preload";
        try
        {
            using var file = AnonymousFile.Create("ugreen-py", []);
            return null;
        }
        catch (LinuxException e)
        {
            return $"there is no place for what is to be preloaded: {e.Message}";
        }
    }

    private static PythonHost? ForPython(ServerOptions options)
    {
        if (LibPython.IsOwnProgram || OwnProcess.HasPrivilegesOfItsFile || WasRefused || s_mark is { IsOwn: true } || !File.Exists(HostPath) || !File.Exists(Script) || OwnProgram.Find("--python").Before.Count > 0 || DotnetLayout.HostFxr() is null) return null;
        try
        {
            // As the worker will see it: it changes the folder before it looks.
            var python = options is { Python: { } named, Chdir: { } folder } ? Path.Combine(folder, named) : options.Python;
            var environment = options is { VirtualEnv: { } venv, Chdir: { } where } ? Path.Combine(where, venv) : options.VirtualEnv;
            return PythonLocator.FindExecutable(python, environment) is { } executable ? new PythonHost(executable) : null;
        }
        catch (PythonStartException)
        {
            return null;
        }
    }

    private static PythonHost? ForOwn(ServerOptions options)
    {
        if (LibPython.IsOwnProgram || options.BlockingCalls == BlockingMode.Off || options.Switch != SwitchKind.Direct) return null;
        return s_mark is null && PreloadedStubs.Find() is null && Obstacle() is null ? new PythonHost(null) : null;
    }

    private void Become(IReadOnlyList<string> arguments)
    {
        if (Library() is not { } library) return;
        using (library)
        {
            var fd = (int)library.DangerousGetHandle();
            if (_python is null) OwnProcess.BecomeAgain(Mark(fd).Changes(), fd);
            else OwnProcess.Become(_python, [HostPath, Script, .. arguments], Mark(fd).Changes(), fd);
        }
    }

    /// <summary>What it was started with is missing or another version's, and it would not be so the next time.</summary>
    private static bool MayBeStartedAgain(HostMark mark)
        => !mark.IsLast && PreloadedStubs.Find() is null && (!mark.IsOwn || PreloadedStubs.AreOfAnotherVersion) && Obstacle() is null;

    /// <summary>The same program, with this version's library; where Python's was refused, this server's own. Returns when that failed.</summary>
    private static void StartAgain()
    {
        try
        {
            using var library = LibPython.IsOwnProgram ? PythonsLibrary() : OwnLibrary();
            if (library is null) return;
            var fd = (int)library.DangerousGetHandle();
            var mark = HostMark.For(fd) with { IsOwn = !LibPython.IsOwnProgram, PythonWasRefused = WasRefused, IsLast = true };
            OwnProcess.BecomeAgain(mark.Changes(), fd);
        }
        catch (LinuxException e)
        {
            NotAgain(e);
        }
    }

    private static void NotAgain(LinuxException e) => s_problem = $"this program cannot be started again: {e.Message}";

    private SpawnRequest Changed(SpawnRequest request, SafeFileHandle library)
    {
        var number = request.Descriptors.Keys.Append(OutputDescriptor.StandardError).Max() + 1;
        return request with
        {
            Path = _python ?? request.Path,
            Arguments = _python is null ? request.Arguments : [request.Arguments[0], Script, .. request.Arguments.Skip(1)],
            Changes = Merged(request.Changes, Mark(number).Changes()),
            Descriptors = Merged(request.Descriptors, new Dictionary<int, int> { [number] = (int)library.DangerousGetHandle() }),
        };
    }

    private HostMark Mark(int fd) => HostMark.For(fd) with { IsOwn = _python is null };

    private static Dictionary<TKey, TValue> Merged<TKey, TValue>(IReadOnlyDictionary<TKey, TValue> first, Dictionary<TKey, TValue> second)
        where TKey : notnull
        => new(first.Concat(second));

    /// <summary>Without its library this server's own program starts, and says what is missing; Python's does not.</summary>
    private SafeFileHandle? LibraryIfPossible()
    {
        try
        {
            return Library();
        }
        catch (LinuxException) when (_python is null)
        {
            return null;
        }
    }

    private SafeFileHandle? Library() => _python is null ? OwnLibrary() : PythonsLibrary();

    private static SafeFileHandle OwnLibrary() => AnonymousFile.Create("ugreen-py", PreloadLibrary.Build());

    /// <summary>Made at each start: a master outlives updates of .NET. Null: there is no .NET of the usual layout.</summary>
    private static SafeFileHandle? PythonsLibrary()
    {
        if (DotnetLayout.HostFxr() is not { } hostFxr) return null;
        return AnonymousFile.Create("ugreen-py", PreloadLibrary.Build(hostFxr, HostPath, DotnetLayout.RootOf(hostFxr), Path.Combine(AppContext.BaseDirectory, "ugreen-py.dll")));
    }
}
