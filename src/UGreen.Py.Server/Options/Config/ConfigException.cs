namespace UGreen.Py.Server.Options.Config;

/// <summary>A configuration file cannot be used. The message is one line that names the file, and the line and the key where there are any.</summary>
internal sealed class ConfigException(string message) : Exception(message);
