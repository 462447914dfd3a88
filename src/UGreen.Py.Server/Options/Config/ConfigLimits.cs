namespace UGreen.Py.Server.Options.Config;

/// <summary>Bounds of what configuration files may ask for. They end accidents (a log file given as configuration, files that include each other in a fan) early.</summary>
internal static class ConfigLimits
{
    /// <summary>The largest files in the wild have some tens of KiB.</summary>
    public const int FileBytes = 1 << 20;

    /// <summary>Files that are read altogether; the same one counts each time.</summary>
    public const int Files = 100;

    /// <summary>Files within files.</summary>
    public const int Depth = 16;

    /// <summary>Keys altogether. Each unknown one is compared with all options, for the suggestion.</summary>
    public const int Keys = 10_000;

    /// <summary>Characters of a value, before and after its placeholders were replaced: placeholders in placeholders can double with each level.</summary>
    public const int Value = 65_536;

    /// <summary>Levels of lists and mappings in the parts of a YAML file that are not for us. JSON's reader has the same limit.</summary>
    public const int YamlDepth = 64;

    /// <summary>Placeholders within placeholders.</summary>
    public const int Nesting = 32;
}
