using System.Globalization;
using Microsoft.Win32.SafeHandles;
using UGreen.Py.CPython;
using UGreen.Py.Machine;
using UGreen.Py.Native;
using UGreen.Py.Server.Options;

namespace UGreen.Py.Server.Process;

/// <summary>
/// Python's own executable as the program of a process that serves. Where it holds CPython itself, as Debian's does, it evaluates bytecode a quarter faster than the shared library of
/// the same version, and a Python that has no shared library can be used at all. <see cref="PreloadLibrary"/> puts this server in place of its main function. adr/0034.
/// <para>
/// The process is started as <c>python3.11 as_library.py ARGUMENTS…</c>, with the preloaded library as an open file. Where the dynamic loader does not take that (a program with file
/// capabilities, no /proc, a security module), Python runs the script, which becomes this program again.
/// </para>
/// </summary>
internal sealed class PythonHost
{
    /// <summary>Holds the number of the preloaded file's descriptor and, behind a colon, what LD_PRELOAD was before, if anything.</summary>
    private const string Variable = "UGREEN_HOST";

    private const string Preload = "LD_PRELOAD";

    private readonly string _executable;

    private PythonHost(string executable) => _executable = executable;

    /// <summary>This server's own executable.</summary>
    public static string HostPath { get; } = Path.Combine(AppContext.BaseDirectory, "ugreen-py");

    private static string Script { get; } = Path.Combine(AppContext.BaseDirectory, "as_library.py");

    /// <summary>This process was to run in Python's executable, and came back.</summary>
    public static bool WasRefused { get; private set; }

    /// <summary>Undoes what the start in Python's executable did to this process. Call it first of all.</summary>
    public static void Arrive()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } text) return;
        ProcessEnvironment.Remove(Variable);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) ProcessEnvironment.Remove(Preload);
        else ProcessEnvironment.Set(Preload, text[(colon + 1)..]);
        if (int.TryParse(colon < 0 ? text : text[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out var fd)) OutputDescriptor.Close(fd);
        WasRefused = !LibPython.IsOwnProgram;
        if (WasRefused) return;
        ProcessTitle.RemoveArgument(1);
        OwnProcess.SetName("ugreen-py");
    }

    /// <summary>How a process for these options is to be started; null: by this server's executable, which loads libpython or says what is wrong.</summary>
    public static PythonHost? For(ServerOptions options)
    {
        if (LibPython.IsOwnProgram || WasRefused || OwnProcess.HasPrivilegesOfItsFile || !File.Exists(HostPath) || !File.Exists(Script) || OwnProgram.Find("--python").Before.Count > 0) return null;
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

    /// <summary>Lets this process become a server for <paramref name="arguments"/>.</summary>
    /// <exception cref="LinuxException">Always, when it returns.</exception>
    public void Become(IReadOnlyList<string> arguments)
    {
        if (Library() is not { } library) return;
        using (library)
        {
            var fd = (int)library.DangerousGetHandle();
            OwnProcess.Become(_executable, [HostPath, Script, .. arguments], Changes(fd), fd);
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
        using var library = host is null ? null : Library();
        return SpawnedProcess.Start(library is null ? request : host!.Changed(request, library));
    }

    private SpawnRequest Changed(SpawnRequest request, SafeFileHandle library)
    {
        var number = request.Descriptors.Keys.Append(OutputDescriptor.StandardError).Max() + 1;
        return request with
        {
            Path = _executable,
            Arguments = [request.Arguments[0], Script, .. request.Arguments.Skip(1)],
            Changes = Merged(request.Changes, Changes(number)),
            Descriptors = Merged(request.Descriptors, new Dictionary<int, int> { [number] = (int)library.DangerousGetHandle() }),
        };
    }

    private static Dictionary<string, string?> Changes(int fd)
    {
        var before = Environment.GetEnvironmentVariable(Preload);
        var own = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{fd}");
        return new Dictionary<string, string?>
        {
            [Preload] = string.IsNullOrEmpty(before) ? own : $"{own}:{before}",
            [Variable] = before is null ? fd.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{fd}:{before}"),
        };
    }

    private static Dictionary<TKey, TValue> Merged<TKey, TValue>(IReadOnlyDictionary<TKey, TValue> first, Dictionary<TKey, TValue> second)
        where TKey : notnull
        => new(first.Concat(second));

    /// <summary>Made at each start: a master outlives updates of .NET. Null: there is no .NET of the usual layout.</summary>
    private static SafeFileHandle? Library()
    {
        if (HostFxr() is not { } hostFxr) return null;
        // ROOT/host/fxr/VERSION/libhostfxr.so
        var root = Path.GetFullPath(Path.Combine(hostFxr, "..", "..", "..", ".."));
        return AnonymousFile.Create("ugreen-py", PreloadLibrary.Build(hostFxr, HostPath, root, Path.Combine(AppContext.BaseDirectory, "ugreen-py.dll")));
    }

    private static string? HostFxr()
    {
        const string Name = "/libhostfxr.so";
        const string Folder = "/host/fxr/";
        const string Maps = "/proc/self/maps";
        if (!File.Exists(Maps)) return null;
        var line = File.ReadLines(Maps).FirstOrDefault(l => l.Contains(Name, StringComparison.Ordinal) && l.Contains(Folder, StringComparison.Ordinal));
        if (line is null) return null;
        var path = line[line.IndexOf('/', StringComparison.Ordinal)..];
        path = path[..(path.IndexOf(Name, StringComparison.Ordinal) + Name.Length)];
        if (File.Exists(path)) return path;

        // An update took it away: any that can run this program will find the rest.
        var versions = Path.GetDirectoryName(Path.GetDirectoryName(path))!;
        return Directory.Exists(versions)
            ? Directory.EnumerateDirectories(versions).OrderByDescending(v => Version.TryParse(Path.GetFileName(v), out var version) ? version : new Version()).Select(v => v + Name).FirstOrDefault(File.Exists)
            : null;
    }
}
