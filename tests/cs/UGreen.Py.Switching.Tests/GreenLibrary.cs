using System.Diagnostics;
using UGreen.Py.Native;

namespace UGreen.Py.Switching.Tests;

/// <summary>green.c, compiled once per test run into a directory of its own and loaded.</summary>
internal static class GreenLibrary
{
    private static readonly Lazy<string> s_path = new(Compile);
    private static readonly Lazy<nint> s_handle = new(() => DynamicLibrary.OpenGlobal(s_path.Value));

    /// <summary>The compiled library.</summary>
    public static string Path => s_path.Value;

    public static nint Symbol(string name) => DynamicLibrary.Symbol(s_handle.Value, name);

    /// <summary>The text of a file that is embedded in the test assembly.</summary>
    public static string Resource(string name)
    {
        using StreamReader reader = new(typeof(GreenLibrary).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    private static string Compile()
    {
        string directory = Directory.CreateTempSubdirectory("ugreen-switching-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(directory, recursive: true);
        string source = System.IO.Path.Combine(directory, "green.c");
        string library = System.IO.Path.Combine(directory, "libgreen.so");
        File.WriteAllText(source, Resource("green.c"));
        ProcessStartInfo gcc = new("gcc", ["-O1", "-Wall", "-Werror", "-fno-optimize-sibling-calls", "-shared", "-fPIC", "-o", library, source])
        {
            RedirectStandardError = true,
        };
        using Process process = Process.Start(gcc)!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? library : throw new InvalidOperationException("gcc: " + errors);
    }
}
