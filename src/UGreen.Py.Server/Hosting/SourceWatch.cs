namespace UGreen.Py.Server.Hosting;

/// <summary>
/// Waits for a change of an application that could not be loaded, so that it is loaded again when its mistake may be mended. Files are looked at from time to time, which works on
/// every file system.
/// </summary>
internal sealed class SourceWatch
{
    private readonly TimeProvider _time;

    public SourceWatch(TimeProvider time) => _time = time;

    /// <param name="files">Absolute paths; those that are not there yet may come.</param>
    /// <param name="every">Between two looks.</param>
    /// <param name="cancellation">Ends the wait with <see cref="OperationCanceledException"/>.</param>
    /// <returns>The file that was written, replaced, made or removed.</returns>
    public async Task<string> WaitForChangeAsync(IReadOnlyList<string> files, TimeSpan every, CancellationToken cancellation)
    {
        var seen = files.Select(Look).ToArray();
        while (true)
        {
            await Task.Delay(every, _time, cancellation).ConfigureAwait(false);
            for (var i = 0; i < seen.Length; i++)
            {
                if (Look(files[i]) != seen[i]) return files[i];
            }
        }
    }

    private static (DateTime Written, long Length) Look(string file)
    {
        try
        {
            var about = new FileInfo(file);
            return about.Exists ? (about.LastWriteTimeUtc, about.Length) : default;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }
}
