using System.Text;

namespace UGreen.Py.Front.Static;

/// <summary>Lists of entity tags, as If-None-Match holds them.</summary>
internal static class EntityTags
{
    /// <summary>
    /// The list without the mark <c>W/</c>. If-None-Match is compared weakly (RFC 9110, section 13.1.2), and the tags of files are strong, so the mark makes no difference; the
    /// middleware compares strongly, and whoever sits behind a proxy that compresses, which makes all tags weak, would never be answered 304. If-Match and If-Range are strong.
    /// </summary>
    public static string WithoutWeakness(string tags)
    {
        if (!tags.Contains("W/\"", StringComparison.Ordinal)) return tags;
        var strong = new StringBuilder(tags.Length);
        var isQuoted = false;
        for (var i = 0; i < tags.Length; i++)
        {
            if (!isQuoted && tags.AsSpan(i).StartsWith("W/\"", StringComparison.Ordinal)) i += 2;
            if (tags[i] == '"') isQuoted = !isQuoted;
            strong.Append(tags[i]);
        }

        return strong.ToString();
    }
}
