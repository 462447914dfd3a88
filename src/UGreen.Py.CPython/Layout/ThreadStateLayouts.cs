using System.Globalization;
using System.Reflection;

namespace UGreen.Py.CPython.Layout;

/// <summary>
/// The known layouts, and the choice among them at boot.
/// <para>
/// Each generated file adds one static field to this class. They are found by reflection, once, so that a new CPython version is one more generated file and no line elsewhere.
/// </para>
/// </summary>
public static partial class ThreadStateLayouts
{
    /// <summary>All tables, oldest version first.</summary>
    public static IReadOnlyList<ThreadStateLayout> Known => s_known ??= Collect();

    // Not initialised here: in which order the parts of this class initialise their fields is not defined.
    private static List<ThreadStateLayout>? s_known;

    /// <summary>The table for a loaded libpython.</summary>
    /// <param name="pyGetVersion">What <c>Py_GetVersion()</c> says: "3.11.2 (main, …) [GCC …]".</param>
    /// <exception cref="UnsupportedPythonException">There is no table for it.</exception>
    public static ThreadStateLayout For(string pyGetVersion)
    {
        ArgumentNullException.ThrowIfNull(pyGetVersion);
        var version = pyGetVersion.Split(' ')[0];
        if (!TryParse(version, out var major, out var minor, out var early)) throw Unsupported(pyGetVersion, "its version text cannot be read");

        // An "a" or "b" release may still move fields; from the first release candidate on CPython keeps its ABI.
        if (early) throw Unsupported(version, "it is a pre-release, whose thread state may still change");
        if (pyGetVersion.Contains("free-threading", StringComparison.Ordinal)) throw FreeThreaded(version);

        foreach (var layout in Known)
        {
            if (layout.Major == major && layout.Minor == minor && layout.PointerSize == IntPtr.Size) return layout;
        }

        throw Unsupported(version, "there is no layout table for it");
    }

    // "3.11.2", "3.13.0a1", "3.12.4+". No regular expression: making one ready would cost more of the start than everything else here.
    private static bool TryParse(string version, out int major, out int minor, out bool early)
    {
        (major, minor, early) = (0, 0, false);
        var parts = version.Split('.');
        if (parts.Length < 3 || parts[2].Length == 0 || !char.IsAsciiDigit(parts[2][0])) return false;
        early = parts[2].AsSpan().IndexOfAny('a', 'b') >= 0;
        return int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out major)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out minor);
    }

    internal static UnsupportedPythonException FreeThreaded(string version) => Unsupported(version, "it is a free-threaded build, whose thread state is another one");

    internal static UnsupportedPythonException Unsupported(string found, string why)
    {
        var known = string.Join(", ", Known.Select(layout => layout.MinorVersion));
        return new UnsupportedPythonException(
            $"CPython {found} is not supported: {why}. Known versions ({IntPtr.Size * 8} bit): {known}. Name one with --python PATH.");
    }

    private static List<ThreadStateLayout> Collect()
    {
        var layouts = new List<ThreadStateLayout>();
        foreach (var field in typeof(ThreadStateLayouts).GetFields(BindingFlags.Static | BindingFlags.NonPublic))
        {
            if (field.FieldType != typeof(ThreadStateLayout)) continue;
            var layout = (ThreadStateLayout)field.GetValue(null)!;
            var at = 0;
            while (at < layouts.Count && (layouts[at].Major, layouts[at].Minor).CompareTo((layout.Major, layout.Minor)) < 0) at++;
            layouts.Insert(at, layout);
        }

        return layouts;
    }
}
