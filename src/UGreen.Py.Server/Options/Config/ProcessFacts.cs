using System.Globalization;
using UGreen.Py.Server.Hosting;

namespace UGreen.Py.Server.Options.Config;

/// <summary>What the placeholders of one letter say about the process and the machine.</summary>
internal static class ProcessFacts
{
    private static readonly long StartMicroseconds = (TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / 10;

    /// <param name="letter">The letter behind '%'.</param>
    /// <param name="folder">Where the server was started.</param>
    /// <returns>Null: no such placeholder.</returns>
    public static string? Of(char letter, string folder) => letter switch
    {
        'v' => folder,
        'h' => HostName(),
        'k' => Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture),
        'u' => Id("Uid:"),
        'U' => Environment.UserName,
        'g' => Id("Gid:"),
        'G' => GroupName(Id("Gid:")),
        't' => (StartMicroseconds / 1_000_000).ToString(CultureInfo.InvariantCulture),
        'T' => StartMicroseconds.ToString(CultureInfo.InvariantCulture),
        'V' => StartBlock.Version,
        _ => null,
    };

    private static string HostName()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/hostname").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Environment.MachineName;
        }
    }

    /// <summary>The effective id: the second number of the line.</summary>
    private static string? Id(string line)
    {
        try
        {
            return File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith(line, StringComparison.Ordinal))?.Split('\t', StringSplitOptions.RemoveEmptyEntries)[2];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <returns>The number itself when the group has no name, or one that only a directory service knows.</returns>
    private static string? GroupName(string? id)
    {
        try
        {
            return File.ReadLines("/etc/group").Select(l => l.Split(':')).FirstOrDefault(f => f.Length > 2 && f[2] == id)?[0] ?? id;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return id;
        }
    }
}
