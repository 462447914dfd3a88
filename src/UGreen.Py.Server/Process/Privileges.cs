using Microsoft.Extensions.Logging;
using UGreen.Py.Native;
using UGreen.Py.Server.Hosting;
using UGreen.Py.Server.Options;

namespace UGreen.Py.Server.Process;

/// <summary>Becomes the user of <c>--uid</c> and <c>--gid</c>: after the sockets are open, before any code of the application runs.</summary>
internal static class Privileges
{
    /// <exception cref="StartupException">Not possible; the process must end, since some of it may have been done.</exception>
    public static void Drop(Identity identity, ILogger logger)
    {
        try
        {
            Credentials.Become(identity.User, identity.Group, identity.Name);
        }
        catch (Exception e) when (e is LinuxException or InvalidOperationException)
        {
            throw new StartupException($"--uid/--gid: the process cannot become user {identity.User}, group {identity.Group}: {e.Message}", inner: e);
        }

        ProcessLog.Became(logger, identity.Name ?? $"{identity.User}", identity.Group);
    }

    /// <summary>Gives socket files to the user of <c>--chown-socket</c>.</summary>
    /// <param name="owner">The user.</param>
    /// <param name="paths">Of unix sockets that this process has bound; abstract ones, which begin with NUL, have no owner.</param>
    /// <exception cref="StartupException">Not permitted.</exception>
    public static void GiveSockets(Identity owner, IEnumerable<string> paths)
    {
        foreach (var path in paths.Where(path => path[0] != '\0'))
        {
            try
            {
                Credentials.ChangeOwner(path, owner.User, owner.Group);
            }
            catch (LinuxException e)
            {
                throw new StartupException($"--chown-socket: {path} cannot be given to user {owner.Name ?? $"{owner.User}"}: {e.Message}", inner: e);
            }
        }
    }
}
