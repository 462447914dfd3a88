using System.Globalization;

namespace UGreen.Py.Native;

/// <summary>Where this process has the code of files, by /proc/self/maps.</summary>
public static class CodeMappings
{
    private const string Maps = "/proc/self/maps";

    /// <summary>Code of one file, from <paramref name="Low"/> up to <paramref name="High"/>, which is not part of it.</summary>
    public readonly record struct Range(nint Low, nint High, string Path)
    {
        public bool Has(nint address) => address >= Low && address < High;
    }

    /// <summary>All of it; neighbours of one file are one range. Empty where there is no /proc.</summary>
    public static IReadOnlyList<Range> All()
    {
        var ranges = new List<Range>();
        if (!File.Exists(Maps)) return ranges;
        foreach (var line in File.ReadLines(Maps))
        {
            if (Parse(line) is not { } range) continue;
            if (ranges.Count > 0 && ranges[^1] is var last && last.High == range.Low && last.Path == range.Path) ranges[^1] = last with { High = range.High };
            else ranges.Add(range);
        }

        return ranges;
    }

    // LOW-HIGH PERMISSIONS OFFSET DEVICE INODE    PATH
    private static Range? Parse(string line)
    {
        const int Execute = 2;
        var path = line.IndexOf('/', StringComparison.Ordinal);
        var (dash, space) = (line.IndexOf('-', StringComparison.Ordinal), line.IndexOf(' ', StringComparison.Ordinal));
        if (path < 0 || dash < 0 || space < dash || line[space + 1 + Execute] != 'x') return null;
        return new Range(Number(line[..dash]), Number(line[(dash + 1)..space]), line[path..]);
    }

    private static nint Number(string text) => (nint)ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
