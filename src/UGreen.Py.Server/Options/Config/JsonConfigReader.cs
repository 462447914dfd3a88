using System.Text;
using System.Text.Json;

namespace UGreen.Py.Server.Options.Config;

/// <summary>One object of a JSON file. Tokens, not objects: keys repeat, and numbers stay as they are written. Comments and commas at the end are accepted.</summary>
internal static class JsonConfigReader
{
    /// <param name="text">The whole file.</param>
    /// <param name="file">For messages.</param>
    /// <param name="section">The top-level key whose object holds the options.</param>
    /// <exception cref="ConfigException">The file is malformed, the object is missing, or a value is neither a scalar nor a list of scalars.</exception>
    public static List<ConfigEntry> Read(string text, string file, string section)
    {
        try
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return Document(ref reader, new JsonLines(bytes), file, section);
        }
        catch (JsonException e)
        {
            throw new ConfigException($"{file}:{e.LineNumber + 1}: not valid JSON: {ConfigWords.Shown(e.Message.Split(" LineNumber:")[0])}");
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, written as an escape.
            throw new ConfigException($"{file}: not valid JSON: a string is not Unicode text");
        }
    }

    private static List<ConfigEntry> Document(ref Utf8JsonReader reader, JsonLines lines, string file, string section)
    {
        var entries = new List<ConfigEntry>();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        var found = false;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new ConfigException($"{file}: an object with the key \"{section}\" is expected");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            keys.Add(key);
            reader.Read();
            if (key != section)
            {
                reader.Skip();
                continue;
            }

            found = true;
            if (reader.TokenType != JsonTokenType.StartObject) throw new ConfigException($"{file}:{lines.Of(reader.TokenStartIndex)}: \"{section}\" must be an object of options");
            Options(ref reader, lines, file, entries);
        }

        // The reader itself complains about what follows the object.
        reader.Read();
        if (!found) throw new ConfigException(ConfigWords.MissingKey(file, section, keys));
        return entries;
    }

    private static void Options(ref Utf8JsonReader reader, JsonLines lines, string file, List<ConfigEntry> entries)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            if (key.Length == 0) throw new ConfigException($"{file}:{lines.Of(reader.TokenStartIndex)}: a key is empty");
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                Add(ref reader, lines, file, key, entries);
                continue;
            }

            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) Add(ref reader, lines, file, key, entries);
        }
    }

    private static void Add(ref Utf8JsonReader reader, JsonLines lines, string file, string key, List<ConfigEntry> entries)
    {
        var source = new ConfigSource(file, lines.Of(reader.TokenStartIndex));
        var text = reader.TokenType switch
        {
            JsonTokenType.String => reader.GetString()!,
            JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
            JsonTokenType.True => "true",
            JsonTokenType.False => "false",
            JsonTokenType.Null => throw new ConfigException($"{source}: key '{ConfigWords.Shown(key)}': null is not a value"),
            JsonTokenType.StartObject => throw new ConfigException($"{source}: key '{ConfigWords.Shown(key)}': a value or a list of values is expected, not an object"),
            _ => throw new ConfigException($"{source}: key '{ConfigWords.Shown(key)}': a list in a list"),
        };
        entries.Add(new ConfigEntry(key, text, source));
        if (entries.Count > ConfigLimits.Keys) throw new ConfigException($"{file}: more than {ConfigLimits.Keys} keys");
    }
}
