namespace UGreen.Py.Front.Static;

/// <summary>Which files a <see cref="StaticFileServer"/> serves.</summary>
public sealed record StaticFileSettings
{
    /// <summary>Looked through in this order; the first that has the file serves it.</summary>
    public IReadOnlyList<StaticMap> Maps { get; init; } = [];

    /// <summary>Absolute paths of directories that are looked through for every path, after the maps.</summary>
    public IReadOnlyList<string> CheckDirectories { get; init; } = [];

    /// <summary>Names of files that stand for their directory, the first that exists.</summary>
    public IReadOnlyList<string> IndexNames { get; init; } = [];
}
