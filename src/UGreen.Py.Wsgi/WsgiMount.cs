namespace UGreen.Py.Wsgi;

/// <summary>One application and where it is mounted.</summary>
/// <param name="Point">The mountpoint: "" for the root, otherwise as "/blog", decoded, without a slash at its end.</param>
/// <param name="Module">Dotted name of a module; null when it is a file.</param>
/// <param name="File">Path of a Python file; null when it is a module.</param>
/// <param name="Callable">Name of the callable in it; <c>name()</c> is a factory.</param>
public sealed record WsgiMount(string Point, string? Module, string? File, string Callable)
{
    /// <summary>For logs and messages: "mod:app", "mod:app at /blog".</summary>
    public override string ToString() => $"{File ?? Module}:{Callable}" + (Point.Length == 0 ? "" : $" at {Point}");
}
