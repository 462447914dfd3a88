namespace UGreen.Py.Native;

/// <summary>What <see cref="SpawnedProcess.Start"/> shall start.</summary>
public sealed record SpawnRequest
{
    /// <summary>The program; without a '/' it is looked for in this process's PATH.</summary>
    public required string Path { get; init; }

    /// <summary>All arguments, argv[0] included, which may be any text.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The whole environment; null: this process's own, byte for byte.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>What differs from <see cref="Environment"/>: a value to set, or null for a variable that the program shall not have.</summary>
    public IReadOnlyDictionary<string, string?> Changes { get; init; } = new Dictionary<string, string?>();

    /// <summary>
    /// The descriptors that the program gets: its number for one, and which of ours that is. 0, 1 and 2 are inherited where they are not named here. All others are closed in it,
    /// whatever their close-on-exec flag says.
    /// </summary>
    public IReadOnlyDictionary<int, int> Descriptors { get; init; } = new Dictionary<int, int>();

    /// <summary>It leads a session of its own, without a terminal (setsid).</summary>
    public bool NewSession { get; init; }
}
