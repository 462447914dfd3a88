using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

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
    public static IReadOnlyList<ThreadStateLayout> Known => s_known.Value;

    private static readonly Lazy<ThreadStateLayout[]> s_known = new(Collect);

    /// <summary>The table for a loaded libpython.</summary>
    /// <param name="pyGetVersion">What <c>Py_GetVersion()</c> says: "3.11.2 (main, …) [GCC …]".</param>
    /// <exception cref="UnsupportedPythonException">There is no table for it.</exception>
    public static ThreadStateLayout For(string pyGetVersion)
    {
        ArgumentNullException.ThrowIfNull(pyGetVersion);
        var version = VersionText().Match(pyGetVersion);
        if (!version.Success) throw Unsupported(pyGetVersion, "its version text cannot be read");

        // An "a" or "b" release may still move fields; from the first release candidate on CPython keeps its ABI.
        if (version.Groups["early"].Success) throw Unsupported(version.Value, "it is a pre-release, whose thread state may still change");
        if (pyGetVersion.Contains("free-threading", StringComparison.Ordinal)) throw Unsupported(version.Value, "it is a free-threaded build, whose thread state is another one");

        var major = int.Parse(version.Groups["major"].ValueSpan, CultureInfo.InvariantCulture);
        var minor = int.Parse(version.Groups["minor"].ValueSpan, CultureInfo.InvariantCulture);
        return Known.FirstOrDefault(layout => layout.Major == major && layout.Minor == minor && layout.PointerSize == IntPtr.Size)
            ?? throw Unsupported(version.Value, "there is no layout table for it");
    }

    private static UnsupportedPythonException Unsupported(string found, string why)
    {
        var known = string.Join(", ", Known.Select(layout => layout.MinorVersion));
        return new UnsupportedPythonException(
            $"CPython {found} is not supported: {why}. Known versions ({IntPtr.Size * 8} bit): {known}. How to add one: docs/adr/0004-run-time-layout-tables.md.");
    }

    private static ThreadStateLayout[] Collect() =>
    [
        .. typeof(ThreadStateLayouts)
            .GetFields(BindingFlags.Static | BindingFlags.NonPublic)
            .Where(field => field.FieldType == typeof(ThreadStateLayout))
            .Select(field => (ThreadStateLayout)field.GetValue(null)!)
            .OrderBy(layout => (layout.Major, layout.Minor)),
    ];

    [GeneratedRegex(@"^(?<major>\d+)\.(?<minor>\d+)\.\d+(?:(?<early>[ab]\d+)|rc\d+)?\+?(?=\s|$)")]
    private static partial Regex VersionText();
}
