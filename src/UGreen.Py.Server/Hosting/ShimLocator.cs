using UGreen.Py.Server.Options;

namespace UGreen.Py.Server.Hosting;

/// <summary>Finds the Python half of the server: beside the executable in an installation, further up in a source tree.</summary>
internal static class ShimLocator
{
    public const string Variable = "UGREEN_SHIM";

    private static readonly string Relative = Path.Combine("python", "uwsgi_shim");

    /// <exception cref="StartupException">It is nowhere.</exception>
    public static string Find(Surroundings surroundings, string baseDirectory)
    {
        if (surroundings.Environment(Variable) is { Length: > 0 } given)
        {
            return surroundings.IsDirectory(given) ? given : throw new StartupException($"{Variable}: '{given}' is not a directory");
        }

        for (var folder = baseDirectory.TrimEnd('/'); !string.IsNullOrEmpty(folder); folder = Path.GetDirectoryName(folder))
        {
            var shim = Path.Combine(folder, Relative);
            if (surroundings.IsDirectory(shim)) return shim;
        }

        throw new StartupException($"the folder {Relative} is not found above {baseDirectory}; set {Variable} to its path");
    }
}
