namespace UGreen.Py.Server.Process;

/// <summary>Where the .NET that runs this process lies: ROOT/host/fxr/VERSION/libhostfxr.so.</summary>
internal static class DotnetLayout
{
    private const string Name = "/libhostfxr.so";
    private const string Folder = "/host/fxr/";
    private const string Maps = "/proc/self/maps";

    /// <summary>Path of libhostfxr.so; null: there is none of the usual layout.</summary>
    public static string? HostFxr()
    {
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

    /// <summary>Folder of the .NET installation that a libhostfxr.so belongs to.</summary>
    public static string RootOf(string hostFxr) => Path.GetFullPath(Path.Combine(hostFxr, "..", "..", "..", ".."));
}
