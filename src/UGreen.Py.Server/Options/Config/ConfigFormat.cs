namespace UGreen.Py.Server.Options.Config;

/// <summary>What a configuration file is written in.</summary>
internal enum ConfigFormat
{
    Ini,
    Yaml,
    Json,
}
