namespace UGreen.Py.Server.Options.Config;

/// <summary>Where a key was read, for messages.</summary>
/// <param name="File">The file as the user named it, or the name of an environment variable.</param>
/// <param name="Line">From 1; 0 for an environment variable.</param>
internal sealed record ConfigSource(string File, int Line)
{
    public override string ToString() => Line == 0 ? File : $"{File}:{Line}";
}
