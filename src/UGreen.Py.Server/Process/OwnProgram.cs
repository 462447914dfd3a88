using UGreen.Py.CPython;
using UGreen.Py.Server.Hosting;

namespace UGreen.Py.Server.Process;

/// <summary>How this program is started again.</summary>
/// <param name="Path">The file to start.</param>
/// <param name="Before">What stands before the arguments, argv[0] excluded: under the command dotnet, the assembly.</param>
internal sealed record OwnProgram(string Path, IReadOnlyList<string> Before)
{
    /// <exception cref="StartupException">The path is not known.</exception>
    public static OwnProgram Find(string forWhat)
    {
        // In Python's executable (PythonHost) it is not what runs.
        var path = LibPython.IsOwnProgram ? PythonHost.HostPath : Environment.ProcessPath ?? throw new StartupException($"{forWhat}: the path of this program is not known");
        return System.IO.Path.GetFileName(path) == "dotnet" ? new OwnProgram(path, [Environment.GetCommandLineArgs()[0]]) : new OwnProgram(path, []);
    }
}
