namespace UGreen.Py.Front.Static;

/// <summary>Paths that are files.</summary>
/// <param name="Prefix">The beginning of the decoded path, as "/static"; "" for all paths.</param>
/// <param name="Path">Absolute path of a directory or of a single file, which exists.</param>
/// <param name="IsDirectory">Which of the two it is.</param>
public sealed record StaticMap(string Prefix, string Path, bool IsDirectory);
