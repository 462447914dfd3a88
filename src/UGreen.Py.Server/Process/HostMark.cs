using System.Globalization;
using UGreen.Py.Native;

namespace UGreen.Py.Server.Process;

/// <summary>
/// What a process that is started with the preloaded library is told, in an environment variable: how to take the library out of its environment again, and what to do where the dynamic
/// loader left it out.
/// </summary>
/// <param name="File">Number of the library's descriptor.</param>
internal sealed record HostMark(int File)
{
    /// <summary>The environment variable.</summary>
    public const string Variable = "UGREEN_HOST";

    /// <summary>The dynamic loader's.</summary>
    public const string Preload = "LD_PRELOAD";

    private const char OwnLetter = 'o';
    private const char RefusedLetter = 'r';
    private const char LastLetter = 'l';

    /// <summary>The program is this server's own, not Python's.</summary>
    public bool IsOwn { get; init; }

    /// <summary>It is that because Python's was refused.</summary>
    public bool PythonWasRefused { get; init; }

    /// <summary>Whatever comes of it, the process is not started once more.</summary>
    public bool IsLast { get; init; }

    /// <summary>What LD_PRELOAD was before; null: there was none.</summary>
    public string? Before { get; init; }

    /// <summary>The mark for a process that this one starts or becomes.</summary>
    public static HostMark For(int file) => new(file) { Before = Environment.GetEnvironmentVariable(Preload) };

    /// <summary>Takes the mark, the library's descriptor and its name out of this process, if they are there.</summary>
    public static HostMark? Take()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } text) return null;
        ProcessEnvironment.Remove(Variable);
        if (Read(text) is not { } mark) return null;
        if (mark.Before is null) ProcessEnvironment.Remove(Preload);
        else ProcessEnvironment.Set(Preload, mark.Before);
        OutputDescriptor.Close(mark.File);
        return mark;
    }

    /// <summary>Null: that is no mark.</summary>
    public static HostMark? Read(string text)
    {
        var parts = text.Split(':', 3);
        if (parts.Length < 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var file)) return null;
        bool Has(char letter) => parts[1].Contains(letter, StringComparison.Ordinal);
        return new HostMark(file) { IsOwn = Has(OwnLetter), PythonWasRefused = Has(RefusedLetter), IsLast = Has(LastLetter), Before = parts.Length > 2 ? parts[2] : null };
    }

    /// <summary>What <see cref="Read"/> reads: the number, a letter for each thing that is true, and what LD_PRELOAD was.</summary>
    public string Write()
    {
        var letters = (IsOwn ? $"{OwnLetter}" : "") + (PythonWasRefused ? $"{RefusedLetter}" : "") + (IsLast ? $"{LastLetter}" : "");
        return string.Create(CultureInfo.InvariantCulture, $"{File}:{letters}{(Before is null ? "" : ":" + Before)}");
    }

    /// <summary>What differs in the environment of the process that gets the mark.</summary>
    public Dictionary<string, string?> Changes()
    {
        var own = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{File}");
        return new Dictionary<string, string?> { [Preload] = string.IsNullOrEmpty(Before) ? own : $"{own}:{Before}", [Variable] = Write() };
    }
}
