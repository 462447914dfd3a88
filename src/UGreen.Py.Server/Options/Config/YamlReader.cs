using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace UGreen.Py.Server.Options.Config;

/// <summary>
/// One mapping of a YAML file. It reads the parser's events, not objects: these carry lines, keep scalars as they are written, and expand no aliases. The only type
/// that uses the YAML library, so that it is loaded only for a YAML file.
/// </summary>
internal static class YamlReader
{
    /// <param name="text">The whole file.</param>
    /// <param name="file">For messages.</param>
    /// <param name="section">The top-level key whose mapping holds the options.</param>
    /// <exception cref="ConfigException">The file is malformed, the mapping is missing, or a value is neither a scalar nor a list of scalars.</exception>
    public static List<ConfigEntry> Read(string text, string file, string section)
    {
        try
        {
            using var reader = new StringReader(text);
            return Document(new Parser(reader), file, section);
        }
        catch (YamlException e)
        {
            throw new ConfigException(e.InnerException is null ? $"{file}:{e.Start.Line}: not valid YAML: {ConfigWords.Shown(e.Message)}" : $"{file}: not valid YAML");
        }
    }

    private static List<ConfigEntry> Document(Parser parser, string file, string section)
    {
        var entries = new List<ConfigEntry>();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        var found = false;
        Next(parser);
        Next(parser);
        if (parser.Current is not StreamEnd)
        {
            if (Next(parser) is not MappingStart) throw new ConfigException($"{file}: a mapping with the key '{section}' is expected");
            while (Next(parser) is not MappingEnd)
            {
                var key = Key(parser.Current!, file);
                keys.Add(key);
                Next(parser);
                if (key == section)
                {
                    found = true;
                    Options(parser, file, section, entries);
                }
                else
                {
                    Skip(parser, file);
                }
            }

            Next(parser);
            if (Next(parser) is not StreamEnd) throw new ConfigException($"{file}:{parser.Current!.Start.Line}: a second document; one is expected");
        }

        if (!found) throw new ConfigException(ConfigWords.MissingKey(file, section, keys));
        return entries;
    }

    private static void Options(Parser parser, string file, string section, List<ConfigEntry> entries)
    {
        if (parser.Current is Scalar { Value: "", IsQuotedImplicit: false }) return;
        if (parser.Current is not MappingStart) throw new ConfigException($"{file}:{parser.Current!.Start.Line}: '{section}' must be a mapping of options");
        while (Next(parser) is not MappingEnd)
        {
            var key = Key(parser.Current!, file);
            if (Next(parser) is not SequenceStart)
            {
                Add(entries, key, parser.Current!, file);
                continue;
            }

            while (Next(parser) is not SequenceEnd) Add(entries, key, parser.Current!, file);
        }
    }

    private static void Add(List<ConfigEntry> entries, string key, ParsingEvent value, string file)
    {
        var source = new ConfigSource(file, (int)value.Start.Line);
        var text = value switch
        {
            Scalar { Style: ScalarStyle.Plain, Value: "" or "~" or "null" } => null,
            Scalar scalar => scalar.Value,
            AnchorAlias alias => throw new ConfigException($"{source}: key '{ConfigWords.Shown(key)}': aliases (*{ConfigWords.Shown(alias.Value.Value)}) are not supported"),
            MappingStart => throw new ConfigException($"{source}: key '{ConfigWords.Shown(key)}': a value or a list of values is expected, not a mapping"),
            _ => throw new ConfigException($"{source}: key '{ConfigWords.Shown(key)}': a list in a list"),
        };
        entries.Add(new ConfigEntry(key, text, source));
        if (entries.Count > ConfigLimits.Keys) throw new ConfigException($"{file}: more than {ConfigLimits.Keys} keys");
    }

    private static string Key(ParsingEvent key, string file)
    {
        if (key is not Scalar scalar) throw new ConfigException($"{file}:{key.Start.Line}: a key must be a word");
        if (scalar is { Value: "<<", Style: ScalarStyle.Plain }) throw new ConfigException($"{file}:{key.Start.Line}: merge keys (<<) are not supported");
        if (scalar.Value.Length == 0) throw new ConfigException($"{file}:{key.Start.Line}: a key is empty");
        return scalar.Value;
    }

    /// <summary>Passes over the node that begins at the current event. The library takes time with the square of the depth.</summary>
    private static void Skip(Parser parser, string file)
    {
        var depth = parser.Current!.NestingIncrease;
        while (depth > 0)
        {
            depth += Next(parser).NestingIncrease;
            if (depth > ConfigLimits.YamlDepth) throw new ConfigException($"{file}:{parser.Current!.Start.Line}: more than {ConfigLimits.YamlDepth} lists and mappings within each other");
        }
    }

    private static ParsingEvent Next(Parser parser)
    {
        try
        {
            while (parser.MoveNext())
            {
                if (parser.Current is not Comment) return parser.Current!;
            }
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            // What the library's scanner throws for some malformed text, without a place.
            throw new YamlException(Mark.Empty, Mark.Empty, "malformed", e);
        }

        throw new YamlException(Mark.Empty, Mark.Empty, "the file ends too early");
    }
}
