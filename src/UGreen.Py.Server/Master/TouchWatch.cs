namespace UGreen.Py.Server.Master;

/// <summary>Files of which a touch asks for something. They are looked at once a second, so that it works on every file system; a file that is not there yet may come.</summary>
internal sealed class TouchWatch
{
    private readonly (string Path, DateTime Seen)[] _files;

    public TouchWatch(IEnumerable<string> paths) => _files = [.. paths.Select(path => (path, File.GetLastWriteTimeUtc(path)))];

    /// <summary>The first file that has changed since the last look; null: none.</summary>
    public string? Changed()
    {
        string? changed = null;
        foreach (ref var file in _files.AsSpan())
        {
            var time = File.GetLastWriteTimeUtc(file.Path);
            if (time == file.Seen) continue;
            file.Seen = time;
            // .NET's time of a file that is not there: it was removed, which is no touch.
            if (time.Year > 1601) changed ??= file.Path;
        }

        return changed;
    }
}
