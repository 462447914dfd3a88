namespace UGreen.Py.Native;

/// <summary>The environment of this process. .NET keeps a copy of its own, which C libraries and Python do not see; this changes both.</summary>
public static class ProcessEnvironment
{
    /// <summary>Sets a variable, as UTF-8. For the start, while no other thread asks for one: C's environment has no lock that readers take.</summary>
    /// <exception cref="LinuxException">No memory, or the name is empty or holds '='.</exception>
    public static void Set(string name, string value)
    {
        if (Libc.setenv(name, value, overwrite: 1) != 0) throw LinuxException.Last("setenv");
        Environment.SetEnvironmentVariable(name, value);
    }
}
