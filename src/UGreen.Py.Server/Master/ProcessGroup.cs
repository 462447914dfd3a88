using System.Globalization;
using UGreen.Py.Native;

namespace UGreen.Py.Server.Master;

/// <summary>The processes that share a group, such as a command and its children.</summary>
internal static class ProcessGroup
{
    /// <summary>A process of this group runs. One that has ended and that nobody reaps, as in a container whose first process does not care, counts no more.</summary>
    public static bool IsAlive(int group) => SpawnedProcess.Signal(-group, 0) == 0 && Directory.EnumerateDirectories("/proc").Any(folder => Belongs(folder, group));

    private static bool Belongs(string folder, int group)
    {
        if (!char.IsAsciiDigit(folder[^1])) return false;
        try
        {
            // proc(5): state, parent and group stand behind the name, which is in parentheses and may hold anything.
            var stat = File.ReadAllText($"{folder}/stat");
            return stat[(stat.LastIndexOf(')') + 1)..].Split(' ', 5) is ["", not ("Z" or "X"), _, var number, _] && int.TryParse(number, CultureInfo.InvariantCulture, out var its) && its == group;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended meanwhile.
            return false;
        }
    }
}
