namespace UGreen.Py.Gateway;

/// <summary>What came of a <see cref="FileCopy"/>.</summary>
/// <param name="Bytes">Bytes that were handed to the response.</param>
/// <param name="End">How it ended.</param>
/// <param name="Error">With <see cref="FileCopyEnd.FileFailed"/> the reason, one line.</param>
public readonly record struct FileCopied(long Bytes, FileCopyEnd End, string? Error = null);
