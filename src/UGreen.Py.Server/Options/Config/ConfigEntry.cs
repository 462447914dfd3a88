namespace UGreen.Py.Server.Options.Config;

/// <summary>One key of a configuration file, or one environment variable.</summary>
/// <param name="Key">An option's long name, or a name that only placeholders use.</param>
/// <param name="Value">Null: the key stands alone.</param>
/// <param name="Source">Where it was read.</param>
internal sealed record ConfigEntry(string Key, string? Value, ConfigSource Source)
{
    /// <summary>The value holds no placeholders, whatever it looks like.</summary>
    public bool Literal { get; init; }
}
