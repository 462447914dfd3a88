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
            return (long.Parse(words[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize, long.Parse(words[0], CultureInfo.InvariantCulture) * Environment.SystemPageSize);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }
}
