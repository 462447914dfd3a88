using System.Diagnostics;
using UGreen.Py.Testing;
using Xunit;

namespace UGreen.Py.CPython.Tests;

/// <summary>CPython in this test process, started from a virtual environment, because that is the harder case.</summary>
public sealed class InterpreterFixture() : InterpreterThread(StackBytes)
{
    private const int StackBytes = 16 * 1024 * 1024;

    /// <summary>The environment; sys.prefix is to name it.</summary>
    public static string VirtualEnv { get; } = Path.Combine(Directory.CreateTempSubdirectory("ugreen-tests-").FullName, "venv");

    /// <summary>What loading something else said, before there was a libpython.</summary>
    public Exception? MissingLibrary { get; private set; }

    public Exception? OtherLibrary { get; private set; }

    /// <summary>Makes a virtual environment of Debian's Python.</summary>
    public static void MakeVirtualEnv(string folder)
    {
        var start = new ProcessStartInfo("/usr/bin/python3") { RedirectStandardError = true };
        foreach (var argument in (string[])["-m", "venv", "--without-pip", folder]) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors);
    }

    protected override PythonInstallation Locate()
    {
        MissingLibrary = Record.Exception(() => LibPython.Load("/nonexistent/libpython3.11.so.1.0"));
        OtherLibrary = Record.Exception(() => LibPython.Load("libm.so.6"));
        MakeVirtualEnv(VirtualEnv);
        return PythonLocator.Find(null, VirtualEnv);
    }
}

[CollectionDefinition(Name)]
public sealed class InterpreterCollection : ICollectionFixture<InterpreterFixture>
{
    public const string Name = "interpreter";
}
