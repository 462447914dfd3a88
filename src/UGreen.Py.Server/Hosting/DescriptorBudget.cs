using System.Globalization;

namespace UGreen.Py.Server.Hosting;

/// <summary>How many connections the process can have open: what the limit of file descriptors leaves beside the application.</summary>
internal static class DescriptorBudget
{
    // Standard streams, epoll and event descriptors, libraries, listening sockets: some 150 of a process without connections; with room for one surprise.
    private const int OfTheServer = 256;

    private const string LimitsFile = "/proc/self/limits";
    private const string Row = "Max open files";

    /// <summary>Of the running process; null when the kernel does not say, or sets no limit.</summary>
    public static int? Connections(int cores)
    {
        try
        {
            return Find(File.ReadLines(LimitsFile)) is { } limit ? Connections(limit, cores) : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>
    /// Half of it at least is for connections; from the other half come the server's own descriptors, and four for each core: a database, a backend, a file, an upload.
    /// </summary>
    public static int Connections(long limit, int cores) => (int)Math.Min(int.MaxValue, Math.Max(1, Math.Max(limit / 2, limit - OfTheServer - (4L * cores))));

    /// <summary>The soft limit, which .NET has raised to the hard one at its start.</summary>
    public static long? Find(IEnumerable<string> lines)
    {
        var row = lines.FirstOrDefault(l => l.StartsWith(Row, StringComparison.Ordinal));
        var soft = row?[Row.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
    }
}
