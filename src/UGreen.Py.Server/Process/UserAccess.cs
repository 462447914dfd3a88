using UGreen.Py.Server.Hosting;
using UGreen.Py.Server.Options;

namespace UGreen.Py.Server.Process;

/// <summary>
/// What options name and the user of <c>--uid</c> cannot get at. The command line was checked by whoever started the server, mostly root, who can get at everything; what comes later would
/// say "does not exist", or nothing at all.
/// </summary>
internal static class UserAccess
{
    /// <summary>Call it as that user.</summary>
    /// <exception cref="StartupException">It names the option and the path.</exception>
    public static void Check(ServerOptions options, string user)
    {
        var folder = Path.GetFullPath(options.Chdir ?? ".", Surroundings.Real.Folder);
        foreach (var (option, path, isFolder) in Paths(options, folder))
        {
            if (Closed(path, isFolder) is { } closed)
                throw new StartupException($"{option} '{path}': user {user}, who runs the server (--uid), may not enter {closed}");
        }
    }

    /// <summary>The uppermost folder on the way to a path that this process may not enter; null: it may get there, or it is not there.</summary>
    public static string? Closed(string path, bool isFolder)
    {
        if (!IsDenied(isFolder ? path + "/." : path)) return null;
        var closed = isFolder ? path : Path.GetDirectoryName(path)!;
        while (Path.GetDirectoryName(closed) is { } above && IsDenied(closed)) closed = above;
        return closed;
    }

    /// <summary>This process may not enter a folder on the way to a path.</summary>
    public static bool IsDenied(string path)
    {
        try
        {
            _ = File.GetAttributes(path);
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
        catch (IOException)
        {
            // Not there, or no name: who uses it says so.
            return false;
        }
    }

    private static IEnumerable<(string Option, string Path, bool IsFolder)> Paths(ServerOptions options, string folder)
    {
        if (options.Chdir is not null) yield return ("--chdir", folder, true);
        if (options.VirtualEnv is { } environment) yield return ("--virtualenv", Path.GetFullPath(environment, folder), true);
        foreach (var map in options.StaticFiles?.Maps ?? []) yield return ("--static-map", map.Path, map.IsDirectory);
        foreach (var path in options.StaticFiles?.CheckDirectories ?? []) yield return ("--check-static", path, true);
        foreach (var path in options.Master.TouchReload) yield return ("--touch-reload", path, false);
        foreach (var path in options.PythonPaths) yield return ("--pythonpath", Path.GetFullPath(path, folder), true);
        foreach (var mount in options.Applications)
        {
            if (mount.File is { } file) yield return ("the application", Path.GetFullPath(file, folder), false);
        }
    }
}
