using System.Diagnostics;
using System.Runtime.Versioning;
using UGreen.Py.Machine;
using UGreen.Py.Native;
using Xunit;

namespace UGreen.Py.CPython.Tests;

/// <summary>Which executables hold a CPython, and the library that makes one run .NET, as far as that goes without running it: tests/py/test_python_host.py does.</summary>
[SupportedOSPlatform("linux")]
public sealed class ExecutableTests : IDisposable
{
    private const string Symbol = "Py_InitializeEx";

    private readonly string _folder = Directory.CreateTempSubdirectory("ugreen-executable-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Debians_executable_is_one() => Assert.Equal(SystemPython.Program, PythonLocator.FindExecutable(null, null));

    [Fact]
    public void So_is_a_link_to_it()
    {
        var link = Path.Combine(_folder, "python");
        File.CreateSymbolicLink(link, SystemPython.Program);
        Assert.Equal(link, PythonLocator.FindExecutable(link, null));
    }

    [Fact]
    public void With_a_named_library_there_is_none() => Assert.Null(PythonLocator.FindExecutable(PythonLocator.Find(null, null).LibraryPath, null));

    [Theory]
    [InlineData("/bin/true")]
    [InlineData("/nonexistent")]
    [InlineData("/dev/null")]
    [InlineData("/usr")]
    public void What_holds_no_Python_is_none(string path) => Assert.Null(PythonLocator.FindExecutable(path, null));

    [Fact]
    public void A_script_that_runs_Python_is_none() => Assert.Null(PythonLocator.FindExecutable(Write("python", "#!/bin/sh\nexec python3 \"$@\"\n"u8), null));

    [Fact]
    public void Of_a_virtual_environment_it_is_the_bases()
    {
        Write("env/bin/python3", []);
        Write("env/pyvenv.cfg", System.Text.Encoding.UTF8.GetBytes($"home = /usr/bin\nversion = {SystemPython.Version}.2\n"));
        Assert.Equal(SystemPython.Program, PythonLocator.FindExecutable(null, Path.Combine(_folder, "env")));
    }

    [Fact]
    public void A_broken_environment_is_said()
    {
        var error = Assert.Throws<PythonStartException>(() => PythonLocator.FindExecutable(null, _folder));
        Assert.Contains("no pyvenv.cfg in it", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Symbols_of_others_do_not_count()
    {
        Assert.True(ElfSymbols.IsProgramThatExports(SystemPython.Program, Symbol));
        Assert.False(ElfSymbols.IsProgramThatExports(SystemPython.Program, "malloc"), "imported");
        Assert.False(ElfSymbols.IsProgramThatExports(SystemPython.Program, "Py_InitializeE"), "the beginning of a name");
        Assert.False(ElfSymbols.IsProgramThatExports(PythonLocator.Find(null, null).LibraryPath!, Symbol), "a library");
    }

    [Fact]
    public void A_cut_or_damaged_file_is_none()
    {
        var whole = File.ReadAllBytes(SystemPython.Program);
        foreach (var length in (int[])[0, 1, 63, 64, 100, 1000, whole.Length / 2]) Assert.False(ElfSymbols.IsProgramThatExports(Write("cut", whole.AsSpan(0, length)), Symbol));

        // Anything may stand in the header and in the tables: it is read, found wrong, and nothing is thrown. The seed is fixed.
        var random = new Random(34);
        var sections = (int)BitConverter.ToInt64(whole, 40);
        for (var i = 0; i < 60; i++)
        {
            var damaged = (byte[])whole.Clone();
            for (var n = 0; n < 8; n++) damaged[random.Next(2) == 0 ? random.Next(64 + (56 * 12)) : sections + random.Next(whole.Length - sections)] = (byte)random.Next(256);
            _ = ElfSymbols.IsProgramThatExports(Write("damaged", damaged), Symbol);
        }
    }

    /// <summary>The machine code runs in a program that has nothing to do with us, up to the point where .NET is missing.</summary>
    [Theory]
    [InlineData("/nonexistent/libhostfxr.so", "/nonexistent/libhostfxr.so: cannot open shared object file")]
    [InlineData("libm.so.6", "undefined symbol: hostfxr_main_startupinfo")]
    public void The_preloaded_library_comes_before_main_and_says_what_it_cannot_find(string hostFxr, string says)
    {
        var library = Write("preload.so", PreloadLibrary.Build(hostFxr, "/host", "/root", "/application.dll"));
        var (code, text) = Run("/bin/true", library);
        Assert.Equal(1, code);
        Assert.Contains(says, text, StringComparison.Ordinal);
    }

    /// <summary>The program's own main gets what it would get without it: arguments, environment, and its result is the exit code.</summary>
    [Fact]
    public void Without_a_hostfxr_the_program_stays_what_it_is()
    {
        var library = Write("preload.so", PreloadLibrary.Build());
        var (code, text) = Run("/bin/sh", library, "-c", "echo \"$1:$2:$LD_PRELOAD\"; sleep 0; exit 7", "name", "", "żółw");
        Assert.Equal((7, $":żółw:{library}\n"), (code, text));
    }

    /// <summary>As where the version's libpython is installed and python3 is another version's.</summary>
    [Fact]
    public void A_python3_of_another_version_is_none_of_an_environment()
    {
        Write("base/python3.99", File.ReadAllBytes(SystemPython.Program));
        File.SetUnixFileMode(Path.Combine(_folder, "base/python3.99"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        File.CreateSymbolicLink(Path.Combine(_folder, "base/python3"), "python3.99");
        Write("env/pyvenv.cfg", System.Text.Encoding.UTF8.GetBytes($"home = {_folder}/base\nversion = {SystemPython.Version}.2\n"));
        Assert.Null(PythonLocator.FindExecutable(null, Path.Combine(_folder, "env")));
        Assert.NotNull(PythonLocator.FindExecutable(Path.Combine(_folder, "base/python3"), null));
    }

    [Fact]
    public void What_cannot_be_run_is_none() => Assert.Null(PythonLocator.FindExecutable(Write("python", File.ReadAllBytes(SystemPython.Program)), null));

    [Fact]
    public void Others_find_no_fault_in_the_preloaded_library()
    {
        var library = Write("preload.so", PreloadLibrary.Build("/a/libhostfxr.so", new string('h', 4000), "/root", "/żółw.dll"));
        var (code, text) = Run("/usr/bin/readelf", null, "-W", "-a", "-D", library);
        Assert.Equal(0, code);
        Assert.DoesNotContain("warning", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("readelf: ", text, StringComparison.Ordinal);
        Assert.Contains("__libc_start_main", text, StringComparison.Ordinal);
        Assert.Matches(@"GNU_STACK.* RW ", text);
    }

    private static (int Code, string Text) Run(string program, string? preload, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LC_ALL"] = "C";
        if (preload is not null) start.Environment["LD_PRELOAD"] = preload;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    private string Write(string name, ReadOnlySpan<byte> contents)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, contents);
        return path;
    }
}
