using System.Globalization;
using Microsoft.Extensions.Logging;
using UGreen.Py.Native;
using UGreen.Py.Server.Hosting;
using UGreen.Py.Server.Options;

namespace UGreen.Py.Server.Process;

/// <summary>
/// The file of <c>--pidfile</c>. A number that is there already is overwritten, as uWSGI does: after a crash it names nobody, or whoever got that number since. If that process
/// still runs, a warning says so; two servers at one address are stopped by the bind.
/// </summary>
internal sealed class PidFile
{
    private readonly string _path;
    private readonly ILogger _logger;

    /// <param name="path">Absolute.</param>
    /// <param name="logger">For warnings.</param>
    public PidFile(string path, ILogger logger)
    {
        _path = path;
        _logger = logger;
    }

    /// <summary>Writes the number.</summary>
    /// <param name="pid">Of the process to be signalled.</param>
    /// <param name="owner">Who will run the server, and gets the file; null: nobody else.</param>
    /// <exception cref="StartupException">It cannot be written.</exception>
    public void Write(int pid, Identity? owner)
    {
        try
        {
            if (Read() is { } other && other != pid && SpawnedProcess.Signal(other, 0) is 0 or Errno.EPERM) ProcessLog.PidFileTaken(_logger, _path, other);
            File.WriteAllText(_path, pid.ToString(CultureInfo.InvariantCulture) + "\n");
            if (owner is not null) Credentials.ChangeOwner(_path, owner.User, owner.Group);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"--pidfile '{_path}' cannot be written: {e.Message}", inner: e);
        }
    }

    /// <summary>Removes the file, if it still holds that number: a server that was started since may have written its own.</summary>
    public void Remove(int pid)
    {
        try
        {
            if (Read() != pid) return;
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // After --uid the folder may belong to root alone. The file itself does not: an empty one names no process.
            try
            {
                File.WriteAllText(_path, "");
            }
            catch (Exception second) when (second is IOException or UnauthorizedAccessException)
            {
                ProcessLog.PidFileStays(_logger, _path, e.Message);
            }
        }
    }

    private int? Read()
        => File.Exists(_path) && int.TryParse(File.ReadAllText(_path).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && pid > 0 ? pid : null;
}
