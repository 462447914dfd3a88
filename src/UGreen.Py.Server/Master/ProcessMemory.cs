using System.Globalization;

namespace UGreen.Py.Server.Master;

/// <summary>What a process takes of the machine's memory.</summary>
internal static class ProcessMemory
{
    /// <returns>Resident memory and address space in bytes; zeros when there is no such process any more.</returns>
    public static (long Resident, long Virtual) Of(int pid)
    {
        try
        {
            var words = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/statm")).Split(' ');
            return words is [var whole, var resident, ..] && long.TryParse(whole, CultureInfo.InvariantCulture, out var size) && long.TryParse(resident, CultureInfo.InvariantCulture, out var pages)
                ? (pages * Environment.SystemPageSize, size * Environment.SystemPageSize)
                : default;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }
}
