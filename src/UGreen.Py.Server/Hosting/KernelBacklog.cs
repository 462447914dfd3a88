using System.Globalization;

namespace UGreen.Py.Server.Hosting;

/// <summary>The kernel's upper bound for <c>--listen</c>, to which it cuts without a word.</summary>
internal static class KernelBacklog
{
    private const string Setting = "/proc/sys/net/core/somaxconn";

    /// <returns>net.core.somaxconn; null when it cannot be read, as in some sandboxes.</returns>
    public static int? Limit()
    {
        try
        {
            return int.TryParse(File.ReadAllText(Setting), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var limit) ? limit : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
