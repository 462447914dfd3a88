using System.Diagnostics;
using System.Runtime.InteropServices;
using UGreen.Py.CPython.Layout;
using UGreen.Py.Native;

namespace UGreen.Py.CPython;

/// <summary>
/// Finds CPython: an executable that holds it (to be run, adr/0034), or a libpython. In this order: what the user named (a shared library or a Python executable), the base of the
/// virtualenv, the distribution's own <c>python3</c>, the newest known version that is installed.
/// Nothing is looked up on PATH: the first <c>python3</c> there need not be the one whose packages Debian installs.
/// </summary>
public static class PythonLocator
{
    // Debian's multi-arch folder first, then where other distributions and a plain "make install" put it.
    private static readonly string[] LibraryFolders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib"];

    private static readonly string[] ProgramFolders = ["/usr/bin", "/usr/local/bin"];

    /// <summary>
    /// The executable that a process has to run for having this Python in its own program; null when only a library will do. Executables of that kind export the C API to extension
    /// modules, as CPython's own do unless they were built with --enable-shared.
    /// </summary>
    /// <exception cref="PythonStartException">There is no such Python; <see cref="Find"/> says the same.</exception>
    public static string? FindExecutable(string? python, string? virtualEnv)
    {
        IEnumerable<string> candidates;
        if (python is not null) candidates = IsLibrary(python) ? [] : [Path.GetFullPath(python)];
        else candidates = (virtualEnv is not null ? BaseExecutables(virtualEnv) : DefaultExecutables()).Where(path => File.Exists(path) && IsOfKnownVersion(path));
        return candidates.FirstOrDefault(HoldsPython);
    }

    private static IEnumerable<string> BaseExecutables(string virtualEnv)
    {
        var (home, version) = ReadSettings(virtualEnv);
        return [Path.Combine(home, "python" + version), Path.Combine(home, "python3")];
    }

    // Opened only when it can be run: a pipe of that name would keep us waiting.
    private static bool HoldsPython(string path)
        => RuntimeInformation.ProcessArchitecture == Architecture.X64 && OperatingSystem.IsLinux() && File.Exists(path)
            && (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0
            && ElfSymbols.IsProgramThatExports(path, "Py_InitializeEx");

    /// <summary>A plain "python3" may be of any version; what it is a link to says which.</summary>
    private static bool IsOfKnownVersion(string path) => KnownVersions().Contains(VersionOf(path));

    /// <summary>Of the version that would be taken: the one beside its library; without a library, where distributions put them.</summary>
    private static List<string> DefaultExecutables()
    {
        foreach (var version in PreferredVersions())
        {
            if (DefaultLibrary(version) is { } found) return [found.ProgramName];
            var programs = ProgramFolders.Select(folder => Path.Combine(folder, "python" + version)).Where(HoldsPython).ToList();
            if (programs.Count > 0) return programs;
        }

        return [];
    }

    /// <summary>First that of the distribution's own python3, whose packages it installs; then the newest.</summary>
    private static IEnumerable<string> PreferredVersions() => InOrder(KnownVersions(), VersionOf("/usr/bin/python3"));

    /// <param name="known">Oldest first.</param>
    /// <param name="own">The distribution's own; null or not known: none.</param>
    internal static IEnumerable<string> InOrder(IEnumerable<string> known, string? own) => known.Reverse().OrderBy(version => version == own ? 0 : 1);

    /// <summary>"3.11" when the program is a link to python3.11.</summary>
    private static string? VersionOf(string program)
    {
        if (!File.Exists(program)) return null;
        var name = Path.GetFileName(File.ResolveLinkTarget(program, returnFinalTarget: true)?.FullName ?? program);
        return name.StartsWith("python", StringComparison.Ordinal) ? name["python".Length..] : null;
    }

    /// <summary>Finds the installation or throws <see cref="PythonStartException"/> with what was looked for. In a process whose program is a Python, that is it.</summary>
    /// <param name="python">Value of --python or UGREEN_PYTHON: a libpython or an executable; null for the default.</param>
    /// <param name="virtualEnv">Value of --virtualenv; null for none.</param>
    public static PythonInstallation Find(string? python, string? virtualEnv)
    {
        var found = LibPython.IsOwnProgram ? new PythonInstallation(null, OwnProgramName(python))
            : python is not null ? FromUser(python)
            : virtualEnv is not null ? FromVirtualEnv(virtualEnv)
            : DefaultLibrary() ?? throw new PythonStartException(
                $"no libpython found: looked for CPython {string.Join(", ", KnownVersions())} in {string.Join(", ", LibraryFolders)}; install Debian's python3 or name one with --python PATH");
        return virtualEnv is null ? found : found with { ProgramName = VirtualEnvProgram(virtualEnv) };
    }

    // As the user called it: a virtualenv's bin/python is a link to its base, and finds its packages by its own name only.
    private static string OwnProgramName(string? python) => python is null || IsLibrary(python) ? Environment.ProcessPath ?? "/usr/bin/python3" : Path.GetFullPath(python);

    private static bool IsLibrary(string python) => Path.GetFileName(python).Contains(".so", StringComparison.Ordinal);

    private static PythonInstallation? DefaultLibrary() => PreferredVersions().Select(DefaultLibrary).FirstOrDefault(found => found is not null);

    private static PythonInstallation? DefaultLibrary(string version)
        => LibraryFolders.Select(folder => LibraryIn(folder, version)).FirstOrDefault(found => found is not null) is { } library ? new PythonInstallation(library, ProgramFor(library, version)) : null;

    private static PythonInstallation FromUser(string python)
    {
        var path = Path.GetFullPath(python);
        if (!File.Exists(path)) throw new PythonStartException($"--python {python}: no such file");
        if (IsLibrary(path))
        {
            var version = KnownVersions().FirstOrDefault(v => path.Contains("libpython" + v, StringComparison.Ordinal));
            return new PythonInstallation(path, ProgramFor(path, version ?? "3"));
        }

        var (library, program) = AskExecutable(path);
        return new PythonInstallation(library, program);
    }

    private static PythonInstallation FromVirtualEnv(string virtualEnv)
    {
        var (home, version) = ReadSettings(virtualEnv);
        var prefix = Path.GetDirectoryName(home.TrimEnd('/')) ?? "/usr";
        foreach (var folder in LibraryFolders.Prepend(Path.Combine(prefix, "lib")))
        {
            if (LibraryIn(folder, version) is { } library) return new PythonInstallation(library, ProgramFor(library, version));
        }

        throw new PythonStartException($"--virtualenv {virtualEnv}: no libpython{version}.so found beside {home} or in {string.Join(", ", LibraryFolders)}; name it with --python PATH");
    }

    private static (string Home, string Version) ReadSettings(string virtualEnv)
    {
        var settings = Path.Combine(virtualEnv, "pyvenv.cfg");
        if (!File.Exists(settings)) throw new PythonStartException($"--virtualenv {virtualEnv}: not a virtual environment (no pyvenv.cfg in it)");

        string? home = null, full = null;
        foreach (var line in File.ReadLines(settings))
        {
            var at = line.IndexOf('=', StringComparison.Ordinal);
            if (at < 0) continue;
            var (key, value) = (line[..at].Trim(), line[(at + 1)..].Trim());
            if (key == "home") home = value;
            if (key is "version" or "version_info") full = value;
        }

        var version = full is null ? null : string.Join('.', full.Split('.').Take(2));
        if (home is null || version is null) throw new PythonStartException($"--virtualenv {virtualEnv}: pyvenv.cfg names no home or no version");
        if (!KnownVersions().Contains(version))
            throw new PythonStartException($"--virtualenv {virtualEnv}: it is of CPython {version}; this build knows {string.Join(", ", KnownVersions())}");
        return (home, version);
    }

    private static string VirtualEnvProgram(string virtualEnv)
    {
        var root = Path.GetFullPath(virtualEnv);
        foreach (var name in (string[])["python3", "python"])
        {
            var program = Path.Combine(root, "bin", name);
            if (File.Exists(program)) return program;
        }

        throw new PythonStartException($"--virtualenv {virtualEnv}: no bin/python3 in it");
    }

    private static string? LibraryIn(string folder, string version)
        => ((string[])[$"libpython{version}.so.1.0", $"libpython{version}.so.1", $"libpython{version}.so"]).Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static string ProgramFor(string library, string version)
    {
        // <prefix>/lib/libpython3.11.so or <prefix>/lib/x86_64-linux-gnu/libpython3.11.so belong to <prefix>/bin/python3.11.
        for (var folder = Path.GetDirectoryName(library); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            foreach (var name in (string[])["python" + version, "python3"])
            {
                var program = Path.Combine(folder, "bin", name);
                if (File.Exists(program)) return program;
            }
        }

        return "/usr/bin/python3";
    }

    private static (string Library, string Program) AskExecutable(string path)
    {
        const string Question = "import sys,sysconfig as s;print(s.get_config_var('LDLIBRARY') or '');print(s.get_config_var('LIBDIR') or '');print(s.get_config_var('MULTIARCH') or '');"
            + "print(s.get_config_var('INSTSONAME') or '');print(sys.executable)";
        var start = new ProcessStartInfo(path) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(Question);
        string[] answer;
        try
        {
            using var process = Process.Start(start) ?? throw new PythonStartException($"--python {path}: could not be run");

            // Read as well: a program that fills this pipe (PYTHONVERBOSE is enough) would otherwise wait for us while we wait for it.
            _ = process.StandardError.ReadToEndAsync();
            answer = process.StandardOutput.ReadToEnd().Split('\n');
            process.WaitForExit();
            if (process.ExitCode != 0 || answer.Length < 5) throw new PythonStartException($"--python {path}: is neither a libpython nor a Python executable (it exited with {process.ExitCode})");
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new PythonStartException($"--python {path}: could not be run: {error.Message}", error);
        }

        var (library, folder, multiArch, soName, program) = (answer[0].Trim(), answer[1].Trim(), answer[2].Trim(), answer[3].Trim(), answer[4].Trim());
        foreach (var name in (string[])[soName, library])
        {
            foreach (var place in (string[])[Path.Combine(folder, multiArch), folder, Path.Combine(folder, "..", "lib", multiArch)])
            {
                var candidate = Path.GetFullPath(Path.Combine(place, name));
                if (name.Contains(".so", StringComparison.Ordinal) && File.Exists(candidate)) return (candidate, program);
            }
        }

        throw new PythonStartException($"--python {path}: this Python was built without a shared library (--enable-shared), or its libpython is not installed; name another Python");
    }

    private static IEnumerable<string> KnownVersions() => ThreadStateLayouts.Known.Select(layout => $"{layout.Major}.{layout.Minor}");
}
