namespace UGreen.Py.Server.Options;

/// <summary>What the checks ask of the machine; tests give their own.</summary>
internal sealed record Surroundings(Func<string, string?> Environment, Func<string, bool> IsDirectory, Func<string, bool> Exists)
{
    public static Surroundings Real { get; } = new(System.Environment.GetEnvironmentVariable, Directory.Exists, Path.Exists);
}
