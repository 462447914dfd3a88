using UGreen.Py.Native;
using UGreen.Py.Server.Options;

namespace UGreen.Py.Server.Process;

/// <summary>What ps shows of each process, by the --procname options.</summary>
internal static class ProcessNames
{
    /// <param name="options">What was asked for.</param>
    /// <param name="role">"master", "worker 1"; null: the one process that does everything.</param>
    /// <returns>Null: the command line stays.</returns>
    public static string? Of(ProcessOptions options, string? role)
    {
        if (options is { Name: null, NamePrefix: null, AutoName: false }) return null;
        var name = options.Name ?? (role is null ? "ugreen-py" : $"ugreen-py {role}");
        return options.NamePrefix + name;
    }

    /// <summary>Sets it, when one was asked for.</summary>
    public static void Apply(ProcessOptions options, string? role)
    {
        if (Of(options, role) is { } title) ProcessTitle.Set(title);
    }
}
