namespace UGreen.Py.Server.Hosting;

/// <summary>Waits for a change of files, without Python: for a worker whose application could not be loaded.</summary>
internal static class SourceWatch
{
    /// <summary>Returns when one of the files is another than at the call, has come, or was written after the load began. The end of the process ends the wait.</summary>
    /// <param name="files">Their paths.</param>
    /// <param name="pace">How often they are looked at.</param>
    /// <param name="since">When the load began: what was written later may not have been read.</param>
    public static void WaitForChange(IReadOnlyList<string> files, TimeSpan pace, DateTimeOffset since)
    {
        var before = files.Select(Stamp).ToList();
        if (before.Exists(stamp => stamp?.Written > since.UtcDateTime)) return;
        using var never = new ManualResetEventSlim();
        while (true)
        {
            never.Wait(pace);
            for (var i = 0; i < files.Count; i++)
            {
                // Away is not changed: editors write a new file and rename it.
                if (Stamp(files[i]) is { } now && now != before[i]) return;
            }
        }
    }

    private static (DateTime Written, long Bytes)? Stamp(string path) => new FileInfo(path) is { Exists: true } file ? (file.LastWriteTimeUtc, file.Length) : null;
}
