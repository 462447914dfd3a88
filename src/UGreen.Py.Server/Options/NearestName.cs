namespace UGreen.Py.Server.Options;

/// <summary>Finds the option that a mistyped one was meant to be.</summary>
internal static class NearestName
{
    /// <returns>Null when nothing is near: then a suggestion would only mislead.</returns>
    public static string? Find(string typed, IEnumerable<string> known)
    {
        string? best = null;
        // A third of the letters may be wrong; of four letters or more at least two, because two that changed places count as two.
        var bestDistance = Math.Max(typed.Length < 4 ? 1 : 2, typed.Length / 3) + 1;
        foreach (var name in known.Order(StringComparer.Ordinal))
        {
            var distance = Distance(typed, name);
            if (distance >= bestDistance) continue;
            best = name;
            bestDistance = distance;
        }

        return best;
    }

    /// <summary>Levenshtein distance: letters to insert, delete or replace.</summary>
    public static int Distance(string a, string b)
    {
        var row = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++) row[j] = j;

        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[b.Length];
    }
}
