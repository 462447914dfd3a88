using System.Text;

namespace UGreen.Py.Machine;

/// <summary>The texts of the preloaded library, each ended by a zero byte, and where they are in its data.</summary>
internal sealed class PreloadTexts
{
    private readonly Dictionary<string, int> _names = [];
    private readonly List<byte> _bytes = [];

    public PreloadTexts(string hostFxr, string host, string dotnetRoot, string application)
    {
        // One behind the other, and an empty one at the end: they are gone through.
        Names = PreloadData.Texts;
        foreach (string function in PreloadData.Functions) _names.Add(function, Add(function));
        Add("");
        (HostFxr, Host, Root, Application) = (Add(hostFxr), Add(host), Add(dotnetRoot), Add(application));
        (Entry, Format, Version) = (Add("hostfxr_main_startupinfo"), Add("%s"), Add("GLIBC_2.3.2"));
    }

    public int Names { get; }

    public int HostFxr { get; }

    public int Host { get; }

    public int Root { get; }

    public int Application { get; }

    public int Entry { get; }

    public int Format { get; }

    /// <summary>The version of the C library's condition variables that all programs use, and that it also has an older one of.</summary>
    public int Version { get; }

    public IReadOnlyList<byte> Bytes => _bytes;

    public int NameOf(string function) => _names[function];

    private int Add(string text)
    {
        int at = PreloadData.Texts + _bytes.Count;
        _bytes.AddRange(Encoding.UTF8.GetBytes(text));
        _bytes.Add(0);
        return at;
    }
}
