namespace UGreen.Py.Gateway;

/// <summary>Percent-decoding of a path into latin-1 characters, one per byte, as PEP 3333 wants PATH_INFO. A '%' that no two hex digits follow stays as it is.</summary>
public static class PercentDecoder
{
    /// <summary>Decodes into <paramref name="target"/>, which must be at least as long as <paramref name="path"/>; returns the length.</summary>
    public static int Decode(ReadOnlySpan<char> path, Span<char> target)
    {
        var length = 0;
        for (var i = 0; i < path.Length; i++)
        {
            var c = path[i];
            if (c == '%' && i + 2 < path.Length && Hex(path[i + 1]) is var high and >= 0 && Hex(path[i + 2]) is var low and >= 0)
            {
                c = (char)((high << 4) | low);
                i += 2;
            }

            target[length++] = c;
        }

        return length;
    }

    private static int Hex(char c) => c switch
    {
        >= '0' and <= '9' => c - '0',
        >= 'a' and <= 'f' => c - 'a' + 10,
        >= 'A' and <= 'F' => c - 'A' + 10,
        _ => -1,
    };
}
