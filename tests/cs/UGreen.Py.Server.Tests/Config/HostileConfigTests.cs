using System.Diagnostics;
using System.Text;
using UGreen.Py.Server.Options;
using UGreen.Py.Server.Options.Config;
using Xunit;

namespace UGreen.Py.Server.Tests.Config;

/// <summary>A file that means ill, or is something else altogether, ends in one line, soon.</summary>
public sealed class HostileConfigTests
{
    /// <summary>Generous, for busy machines; what is quadratic in a megabyte takes minutes.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    public static TheoryData<string, string> Files => new()
    {
        { "nested.yml", "uwsgi:\n  a: " + new string('[', 500_000) },
        { "nested-elsewhere.yml", "x: " + new string('[', 500_000) },
        { "nested-maps.yml", "x: " + string.Concat(Enumerable.Repeat("{a: ", 200_000)) },
        { "indented.yml", string.Concat(Enumerable.Range(0, 1000).Select(i => new string(' ', i) + "a:\n")) },
        { "dashes.yml", "x:\n" + string.Concat(Enumerable.Repeat("- ", 500_000)) },
        { "laughs.yml", "a: &a [x,x,x]\n" + string.Concat(Enumerable.Range(1, 30).Select(i => $"a{i}: &a{i} [*a{(i == 1 ? "" : i - 1)},*a{(i == 1 ? "" : i - 1)}]\n")) + "uwsgi:\n  pp: *a30\n" },
        { "line.yml", "uwsgi:\n  module: " + new string('x', 1_000_000) },
        { "key.yml", "uwsgi:\n  " + new string('x', 1_000_000) + ": 1\n" },
        { "quotes.yml", "uwsgi:\n  module: " + new string('"', 1_000_001) },
        { "keys.yml", "uwsgi:\n" + string.Concat(Enumerable.Repeat("  a: 1\n", 140_000)) },
        { "nested.json", "{\"uwsgi\": {\"a\": " + new string('[', 1_000_000) },
        { "nested-elsewhere.json", "{\"x\": " + new string('[', 1_000_000) },
        { "keys.json", "{\"uwsgi\": {" + string.Concat(Enumerable.Repeat("\"a\":1,", 150_000)) },
        { "line.json", "{\"uwsgi\": {\"module\": \"" + new string('x', 1_000_000) },
        { "line.ini", "[uwsgi]\nmodule = " + new string('x', 1_000_000) },
        { "key.ini", "[uwsgi]\nstrict\n" + new string('x', 1_000_000) },
        { "keys.ini", "[uwsgi]\n" + string.Concat(Enumerable.Repeat("a\n", 500_000)) },
        { "unknown.ini", "[uwsgi]\nstrict\n" + string.Concat(Enumerable.Range(0, 9_000).Select(i => $"asink-something-{i}\n")) },
        { "sections.ini", string.Concat(Enumerable.Repeat("[a]\n", 250_000)) },
        { "outside.ini", string.Concat(Enumerable.Repeat("a\n", 500_000)) },
        { "placeholders.ini", "[uwsgi]\nmodule = " + string.Concat(Enumerable.Repeat("%(", 32_000)) },
        { "chain.ini", "[uwsgi]\nmodule = %(a0)\n" + string.Concat(Enumerable.Range(0, 5000).Select(i => $"a{i} = %(a{i + 1})\n")) },
        { "doubles.ini", "[uwsgi]\nmodule = %(a0)\n" + string.Concat(Enumerable.Range(0, 25).Select(i => $"a{i} = %(a{i + 1})%(a{i + 1})\n")) + "a25 = xxxxxxxxxx\n" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void Is_refused_in_short_lines_and_in_bounded_time(string name, string text)
    {
        using var folder = new ConfigFolder().With(name, text);
        var begun = Stopwatch.GetTimestamp();

        var errors = folder.Errors(name);

        Assert.True(Stopwatch.GetElapsedTime(begun) < Soon, $"{name}: {Stopwatch.GetElapsedTime(begun)}");
        Assert.NotEmpty(errors);
        Assert.All(errors, e => Assert.True(e.Length < 1000 && !e.Any(char.IsControl), e[..Math.Min(e.Length, 200)]));
    }

    /// <summary>Bytes of all kinds, around the words of the formats. Only a <see cref="ConfigException"/> may come out.</summary>
    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void Noise_is_refused_or_read(int seed)
    {
        var random = new Random(seed);
        string[] words = ["uwsgi", ":", "\n", "  ", "- ", "[", "]", "{", "}", "\"", "'", "a", "b: c\n", "&x ", "*x ", "<<", "? ", "| ", "> ", "#", "!!int ", "%", "---\n", "...\n", ",", "true", "1e5", "\\", "\t", "\u00e9", "=", "\r\n", "~", "uwsgi:\n  "];
        int refused = 0, read = 0;
        for (var round = 0; round < 4000; round++)
        {
            var text = new StringBuilder(random.Next(2) == 0 ? "" : round % 3 == 0 ? "uwsgi:\n  a: 1\n" : round % 3 == 1 ? "{\"uwsgi\": {" : "[uwsgi]\n");
            for (var i = random.Next(12); i > 0; i--) text.Append(words[random.Next(words.Length)]);
            Func<List<ConfigEntry>>[] readers = [() => YamlReader.Read(text.ToString(), "f", "uwsgi"), () => JsonConfigReader.Read(text.ToString(), "f", "uwsgi"), () => IniReader.Read(text.ToString(), "f", "uwsgi", [])];
            foreach (var reader in readers)
            {
                try
                {
                    _ = reader();
                    read++;
                }
                catch (ConfigException e)
                {
                    Assert.StartsWith("f:", e.Message, StringComparison.Ordinal);
                    Assert.DoesNotContain('\n', e.Message);
                    refused++;
                }
            }
        }

        Assert.True(refused > 1000 && read > 100, $"{refused} refused, {read} read");
    }
}
