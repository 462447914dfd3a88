namespace UGreen.Py.CPython.Tests;

/// <summary>The Python that the distribution calls python3, which is what these tests run on.</summary>
internal static class SystemPython
{
    /// <summary>"/usr/bin/python3.11".</summary>
    public static string Program { get; } = File.ResolveLinkTarget("/usr/bin/python3", returnFinalTarget: true)!.FullName;

    /// <summary>"3.11".</summary>
    public static string Version { get; } = Path.GetFileName(Program)["python".Length..];
}
