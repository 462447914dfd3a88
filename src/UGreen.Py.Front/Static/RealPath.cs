namespace UGreen.Py.Front.Static;

/// <summary>Where a path leads when every symbolic link on its way is followed.</summary>
internal static class RealPath
{
    // As many as Linux itself follows; more are a loop.
    private const int MaxLinks = 40;

    /// <param name="path">An absolute path.</param>
    /// <returns>Null for a loop. What does not exist is passed on as it is written.</returns>
    public static string? Of(string path)
    {
        var pending = new Stack<string>();
        Push(pending, path);
        var real = "/";
        var links = 0;
        while (pending.TryPop(out var segment))
        {
            if (segment == "..")
            {
                real = Path.GetDirectoryName(real) ?? "/";
                continue;
            }

            var next = Path.Join(real, segment);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > MaxLinks) return null;
            if (target.StartsWith('/')) real = "/";
            Push(pending, target);
        }

        return real;
    }

    private static void Push(Stack<string> pending, string path)
    {
        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (var i = segments.Length - 1; i >= 0; i--)
        {
            if (segments[i] != ".") pending.Push(segments[i]);
        }
    }
}
