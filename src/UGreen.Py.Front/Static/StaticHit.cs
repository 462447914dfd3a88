namespace UGreen.Py.Front.Static;

/// <summary>A file that a path names.</summary>
/// <param name="Root">Where it lies; null when there is none.</param>
/// <param name="File">Its path below the root, as "/css/a.css"; null: a directory with an index file, asked for without the slash at its end.</param>
internal readonly record struct StaticHit(StaticRoot? Root, string? File);
