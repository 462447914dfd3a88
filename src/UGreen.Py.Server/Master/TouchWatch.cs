using UGreen.Py.Server.Hosting;

namespace UGreen.Py.Server.Master;

/// <summary>Files of which a touch asks for something. They are looked at once a second, so that it works on every file system; a file that is not there yet may come.</summary>
internal sealed class TouchWatch
{
    private readonly Watched[] _files;

    private struct Watched
    {
        public required string Path;
        public DateTime Seen;
        public bool IsClosed;
    }

    /// <exception cref="StartupException">One cannot be looked at; it names the option.</exception>
    public TouchWatch(IEnumerable<string> paths)
    {
        _files = [.. paths.Select(path => new Watched { Path = path })];
        foreach (ref var file in _files.AsSpan())
        {
            if (!TryLook(file.Path, out file.Seen, out var why)) throw new StartupException($"--touch-reload '{file.Path}' cannot be looked at: {why}");
        }
    }

    /// <summary>Told once of a file that cannot be looked at any more, and why.</summary>
    public Action<string, string>? Closed { get; init; }

    /// <summary>The first file that has changed since the last look; null: none.</summary>
    public string? Changed()
    {
        string? changed = null;
        foreach (ref var file in _files.AsSpan())
        {
            if (!TryLook(file.Path, out var time, out var why))
            {
                if (!file.IsClosed) Closed?.Invoke(file.Path, why);
                file.IsClosed = true;
                continue;
            }

            file.IsClosed = false;
            if (time == file.Seen) continue;
            file.Seen = time;
            // .NET's time of a file that is not there: it was removed, which is no touch.
            if (time.Year > 1601) changed ??= file.Path;
        }

        return changed;
    }

    private static bool TryLook(string path, out DateTime time, out string why)
    {
        (time, why) = (default, "");
        try
        {
            time = File.GetLastWriteTimeUtc(path);
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            why = "permission denied";
        }
        catch (IOException e)
        {
            why = e.Message;
        }

        return false;
    }
}
