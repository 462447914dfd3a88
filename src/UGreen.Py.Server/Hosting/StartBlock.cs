using System.Globalization;
using System.Reflection;
using UGreen.Py.Server.Options;
using UGreen.Py.Switching;

namespace UGreen.Py.Server.Hosting;

/// <summary>What the server says of itself when it starts.</summary>
internal static class StartBlock
{
    /// <summary>Without the commit that the build may append to it.</summary>
    public static string Version { get; } =
        (typeof(StartBlock).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown").Split('+')[0];

    public static string Build(ServerOptions options, string pythonVersion, int pid)
    {
        var workers = options.Master is { IsEnabled: true } m ? string.Create(CultureInfo.InvariantCulture, $"  workers      {(m.Cheaper is null ? "" : $"{m.Cheaper} to ")}{m.Workers}, each with\n") : "";
        var engine = options.Switch == SwitchKind.Posix ? "posix" : "direct";
        var (stacks, page) = (options.Stacks, Environment.SystemPageSize / 1024);
        return string.Create(CultureInfo.InvariantCulture, $"""
            ugreen-py {Version}
            {workers}  python       {pythonVersion}
              engine       ugreen, {engine} switch
              cores        {stacks.Cores}, {stacks.StackPages * page} KiB stack each
              spawn cores  {stacks.SpawnCores}, {stacks.SpawnPages * page} KiB stack each
              application  {options.Application}
              pid          {pid}

            """);
    }

    /// <summary>The line that scripts wait for.</summary>
    public static string Listening(IEnumerable<string> addresses) => string.Concat(addresses.Select(a => $"listening on {a}\n"));
}
