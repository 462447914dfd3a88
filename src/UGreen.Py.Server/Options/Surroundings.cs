using UGreen.Py.Server.Process;

namespace UGreen.Py.Server.Options;

/// <summary>What the checks ask of the machine; tests give their own.</summary>
internal sealed record Surroundings(Func<string, string?> Environment, Func<string, bool> IsDirectory, Func<string, bool> Exists)
{
    /// <summary>How it is told that <see cref="IsDenied"/>.</summary>
    public const string Denied = "cannot be reached: permission denied";

    /// <summary>This user may not enter a folder on the way to a path, so nobody can say whether it is there.</summary>
    public Func<string, bool> IsDenied { get; init; } = static _ => false;

    /// <summary>All environment variables.</summary>
    public Func<IEnumerable<KeyValuePair<string, string>>> Variables { get; init; } = () => [];

    /// <summary>The folder that relative paths of configuration files begin at.</summary>
    public string Folder { get; init; } = CurrentFolder();

    /// <summary>Listening sockets that the process was started with.</summary>
    public IReadOnlyList<PassedSocket> PassedSockets { get; init; } = [];

    public static Surroundings Real { get; } = new(System.Environment.GetEnvironmentVariable, Directory.Exists, Path.Exists)
    {
        IsDenied = UserAccess.IsDenied,
        Variables = () => System.Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().Select(v => KeyValuePair.Create((string)v.Key, v.Value as string ?? "")),
        PassedSockets = PassedSocket.Read(System.Environment.GetEnvironmentVariable, System.Environment.ProcessId),
    };

    /// <summary>To stand behind a path that was not found.</summary>
    public string WhyMissing(string path) => IsDenied(path) ? Denied : "does not exist";

    private static string CurrentFolder()
    {
        try
        {
            return Directory.GetCurrentDirectory();
        }
        catch (IOException)
        {
            // It was removed; who starts there without a relative path need not care.
            return "/";
        }
    }
}
