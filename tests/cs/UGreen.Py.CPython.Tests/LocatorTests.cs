using System.Diagnostics;
using System.Runtime.Versioning;
using Xunit;

namespace UGreen.Py.CPython.Tests;

/// <summary>Which libpython is taken, and what the user is told when there is none. No interpreter is started here.</summary>
[SupportedOSPlatform("linux")]
public sealed class LocatorTests : IDisposable
{
    private const string Python = "/usr/bin/python3";

    private readonly string _folder = Directory.CreateTempSubdirectory("ugreen-locator-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Without_options_it_is_the_systems()
    {
        var found = PythonLocator.Find(null, null);
        Assert.True(File.Exists(found.LibraryPath), found.LibraryPath);
        Assert.Contains("libpython3.", Path.GetFileName(found.LibraryPath), StringComparison.Ordinal);
        Assert.True(File.Exists(found.ProgramName), found.ProgramName);
        Assert.StartsWith("/usr/", found.ProgramName, StringComparison.Ordinal);
    }

    /// <summary>Debian's packages are those of its own python3, though a newer one may be there.</summary>
    [Theory]
    [InlineData("3.13", "3.13,3.15,3.11")]
    [InlineData("3.15", "3.15,3.13,3.11")]
    [InlineData("3.12", "3.15,3.13,3.11")]
    [InlineData(null, "3.15,3.13,3.11")]
    public void The_distributions_own_version_comes_before_the_newest(string? own, string order)
        => Assert.Equal(order, string.Join(',', PythonLocator.InOrder(["3.11", "3.13", "3.15"], own)));

    [Fact]
    public void A_shared_library_is_taken_as_it_is_and_its_program_is_the_one_beside_it()
    {
        var library = PythonLocator.Find(null, null).LibraryPath;
        var found = PythonLocator.Find(library, null);
        Assert.Equal(library, found.LibraryPath);
        Assert.Equal(PythonLocator.Find(null, null).ProgramName, found.ProgramName);
    }

    [Fact]
    public void The_program_of_a_library_is_looked_for_upwards_from_it()
    {
        var library = Write("prefix/lib/some-abi/libpython3.11.so.1.0", "");
        var program = Write("prefix/bin/python3.11", "");
        Write("prefix/bin/python3", "");
        Assert.Equal(new PythonInstallation(library, program), PythonLocator.Find(library, null));
    }

    [Fact]
    public void An_executable_is_asked_for_its_library()
    {
        var found = PythonLocator.Find(Python, null);
        Assert.Equal(PythonLocator.Find(null, null).LibraryPath, found.LibraryPath);
        Assert.Equal(Python, found.ProgramName);
    }

    [Fact]
    public void A_relative_path_is_relative_to_the_current_folder()
    {
        var relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), Python);
        Assert.Equal(PythonLocator.Find(Python, null), PythonLocator.Find(relative, null));
    }

    [Fact]
    public void What_is_not_there_is_said() => Refused("--python /nonexistent/python: no such file", "/nonexistent/python", null);

    [Fact]
    public void A_folder_is_no_Python() => Refused($"--python {_folder}", _folder, null);

    [Fact]
    public void A_program_that_is_no_Python_is_said() => Refused("--python /bin/true: is neither a libpython nor a Python executable", "/bin/true", null);

    [Fact]
    public void A_program_that_fails_is_said()
    {
        var program = Script("echo no >&2\nexit 3");
        Refused($"--python {program}: is neither a libpython nor a Python executable (it exited with 3)", program, null);
    }

    [Fact]
    public void A_file_that_cannot_be_run_is_said()
    {
        var file = Write("notes.txt", "no program");
        Refused($"--python {file}: could not be run", file, null);
    }

    [Fact]
    public void A_program_that_writes_much_to_its_standard_error_is_no_trap()
    {
        // More than a pipe holds: unread, it would stop the program and us with it.
        var program = Script($"head -c 1000000 /dev/zero >&2\nexec {Python} \"$@\"");
        Assert.Equal(PythonLocator.Find(Python, null).LibraryPath, PythonLocator.Find(program, null).LibraryPath);
    }

    [Fact]
    public void A_Python_without_a_shared_library_is_said()
    {
        var program = Script("printf 'libpython3.11.a\\n/usr/lib\\n\\nlibpython3.11.a\\n/usr/bin/python3.11\\n'");
        Refused($"--python {program}: this Python was built without a shared library", program, null);
    }

    [Fact]
    public void A_virtual_environment_gives_the_program_and_its_base_the_library()
    {
        var env = Path.Combine(_folder, "venv");
        InterpreterFixture.MakeVirtualEnv(env);
        var found = PythonLocator.Find(null, env);
        Assert.Equal(PythonLocator.Find(null, null).LibraryPath, found.LibraryPath);
        Assert.Equal(Path.Combine(env, "bin", "python3"), found.ProgramName);
        Assert.Equal(env, Ask(found.ProgramName, "import sys; print(sys.prefix)"));
    }

    [Fact]
    public void A_slash_at_its_end_does_not_matter()
    {
        var env = FakeEnvironment($"home = /usr/bin\nversion = {SystemPython.Version}.2\n");
        Assert.Equal(PythonLocator.Find(null, env), PythonLocator.Find(null, env + "/"));
    }

    [Fact]
    public void With_both_options_the_library_is_the_named_one_and_the_program_the_environments()
    {
        var env = FakeEnvironment($"home = /usr/bin\nversion = {SystemPython.Version}.2\n");
        var library = Write("other/lib/libpython3.11.so.1.0", "");
        Assert.Equal(new PythonInstallation(library, Path.Combine(env, "bin", "python3")), PythonLocator.Find(library, env));
    }

    [Fact]
    public void The_library_beside_the_environments_home_comes_first()
    {
        var library = Write("prefix/lib/libpython3.11.so.1.0", "");
        var env = FakeEnvironment($"home = {_folder}/prefix/bin\nversion = 3.11.7\n");
        Assert.Equal(library, PythonLocator.Find(null, env).LibraryPath);
    }

    [Theory]
    [InlineData("home=/usr/bin\nversion=@.2")]
    [InlineData("# a comment\n\nversion_info = @.2.final.0\nhome = /usr/bin\ninclude-system-site-packages = false\n")]
    [InlineData("home = /usr/bin/\n  version  =  @  \nprompt = a = b\n")]
    public void Settings_are_read_in_any_spelling(string settings)
        => Assert.Equal(PythonLocator.Find(null, null).LibraryPath, PythonLocator.Find(null, FakeEnvironment(settings.Replace("@", SystemPython.Version, StringComparison.Ordinal))).LibraryPath);

    [Theory]
    [InlineData("")]
    [InlineData("home = /usr/bin\n")]
    [InlineData("version = 3.11.2\n")]
    [InlineData("no settings at all\n")]
    public void Broken_settings_are_said(string settings) => Refused("pyvenv.cfg names no home or no version", null, FakeEnvironment(settings));

    [Theory]
    [InlineData("2.7.18", "2.7")]
    [InlineData("3.99.0", "3.99")]
    [InlineData("3.111.0", "3.111")]
    [InlineData("nonsense", "nonsense")]
    public void A_version_that_is_not_known_is_said(string version, string said)
        => Refused($"it is of CPython {said}; this build knows 3.11", null, FakeEnvironment($"home = /usr/bin\nversion = {version}\n"));

    [Fact]
    public void A_folder_that_is_no_environment_is_said() => Refused("not a virtual environment (no pyvenv.cfg in it)", null, _folder);

    [Fact]
    public void An_environment_that_is_not_there_is_said() => Refused("--virtualenv /nonexistent", null, "/nonexistent");

    [Fact]
    public void An_environment_without_a_program_is_said()
    {
        var env = FakeEnvironment($"home = /usr/bin\nversion = {SystemPython.Version}.2\n");
        File.Delete(Path.Combine(env, "bin", "python3"));
        Refused("no bin/python3 in it", null, env);
    }

    private static void Refused(string says, string? python, string? virtualEnv)
    {
        var error = Assert.Throws<PythonStartException>(() => PythonLocator.Find(python, virtualEnv));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.StartsWith(python is null ? $"--virtualenv {virtualEnv}" : $"--python {python}", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private static string Ask(string program, string question)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(question);
        using var process = Process.Start(start)!;
        var answer = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return answer;
    }

    private string FakeEnvironment(string settings)
    {
        Write("env/bin/python3", "");
        return Path.GetDirectoryName(Write("env/pyvenv.cfg", settings))!;
    }

    private string Script(string code)
    {
        var path = Write("program", "#!/bin/sh\n" + code + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }
}
