using UGreen.Py.Server.Options.Config;
using Xunit;

namespace UGreen.Py.Server.Tests.Config;

public sealed class YamlReaderTests
{
    [Fact]
    public void Scalars_stay_as_they_are_written_and_lists_repeat()
    {
        var entries = Read("# c\nother: {deep: [1, {x: y}]}\nuwsgi:\n  a: 010\n  b: true # c\n  c: 'it: \"is\"'\n  d:\n    - 1.0\n    - yes\n  e:\n  f: ~\n  a: twice\n  g: [x, y]\n  h: ''\n  i: &anchor text\n");

        Assert.Equal(
            [("a", "010", 4), ("b", "true", 5), ("c", "it: \"is\"", 6), ("d", "1.0", 8), ("d", "yes", 9), ("e", null, 10), ("f", null, 11), ("a", "twice", 12), ("g", "x", 13), ("g", "y", 13), ("h", "", 14), ("i", "text", 15)],
            entries.Select(e => (e.Key, e.Value, e.Source.Line)));
    }

    [Theory]
    [InlineData("", "f.yml: no key 'uwsgi' at the top; there are none")]
    [InlineData("a: 1\nb: 2\n", "f.yml: no key 'uwsgi' at the top; there are: a, b")]
    [InlineData("- a\n", "f.yml: a mapping with the key 'uwsgi' is expected")]
    [InlineData("uwsgi: text\n", "f.yml:1: 'uwsgi' must be a mapping of options")]
    [InlineData("uwsgi:\n  a:\n    b: 1\n", "f.yml:3: key 'a': a value or a list of values is expected, not a mapping")]
    [InlineData("uwsgi:\n  a: [[1]]\n", "f.yml:2: key 'a': a list in a list")]
    [InlineData("x: &x 1\nuwsgi:\n  a: *x\n", "f.yml:3: key 'a': aliases (*x) are not supported")]
    [InlineData("x: &x {a: 1}\nuwsgi:\n  <<: *x\n", "f.yml:3: merge keys (<<) are not supported")]
    [InlineData("uwsgi:\n  [a]: 1\n", "f.yml:2: a key must be a word")]
    [InlineData("uwsgi:\n  a: 1\n---\nuwsgi:\n  b: 1\n", "f.yml:3: a second document; one is expected")]
    public void Errors(string text, string message) => Assert.Equal(message, Assert.Throws<ConfigException>(() => Read(text)).Message);

    [Theory]
    [InlineData("uwsgi:\n  a: 'open\n")]
    [InlineData("uwsgi:\n\ta: 1\n")]
    [InlineData("uwsgi: {a: 1\n")]
    [InlineData("uwsgi:\n  a: *nowhere\n b: 1\n")]
    [InlineData("%YAML 9.9\n---\nuwsgi: @x\n")]
    public void Malformed(string text) => Assert.Matches(@"^f\.yml:\d+: ", Assert.Throws<ConfigException>(() => Read(text)).Message);

    [Fact]
    public void An_empty_mapping() => Assert.Empty(Read("uwsgi:\n"));

    private static List<ConfigEntry> Read(string text) => YamlReader.Read(text, "f.yml", "uwsgi");
}
