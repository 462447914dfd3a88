namespace UGreen.Py.Server.Options.Config;

/// <summary>An option that a file or the environment gives.</summary>
/// <param name="Spec">The option.</param>
/// <param name="Name">As it was written: the option's name or an alias.</param>
/// <param name="Value">With placeholders replaced; null for a flag.</param>
/// <param name="Source">Where it was read.</param>
internal sealed record ConfiguredOption(OptionSpec Spec, string Name, string? Value, ConfigSource Source)
{
    /// <summary>The same on a command line.</summary>
    public string Argument => Value is null ? $"--{Name}" : $"--{Name}={Value}";
}
