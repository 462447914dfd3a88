using UGreen.Py.Server.Options.Config;
using Xunit;

namespace UGreen.Py.Server.Tests.Config;

public sealed class JsonConfigReaderTests
{
    [Fact]
    public void Scalars_stay_as_they_are_written_keys_and_lists_repeat()
    {
        var entries = Read("// c\n{\"other\": {\"deep\": [1, {}]},\n \"uwsgi\": {\n  \"a\": 1.50, /* c */\n  \"b\": true,\n  \"c\": false,\n  \"d\": [\"x\",\n   \"y\",],\n  \"a\": \"tw\\u0069ce\",\n }}\n");

        Assert.Equal(
            [("a", "1.50", 4), ("b", "true", 5), ("c", "false", 6), ("d", "x", 7), ("d", "y", 8), ("a", "twice", 9)],
            entries.Select(e => (e.Key, e.Value!, e.Source.Line)));
    }

    [Theory]
    [InlineData("{}", "f.json: no key 'uwsgi' at the top; there are none")]
    [InlineData("{\"a\": 1}", "f.json: no key 'uwsgi' at the top; there are: a")]
    [InlineData("[]", "f.json: an object with the key \"uwsgi\" is expected")]
    [InlineData("{\"uwsgi\": []}", "f.json:1: \"uwsgi\" must be an object of options")]
    [InlineData("{\"uwsgi\":\n {\"a\": {}}}", "f.json:2: key 'a': a value or a list of values is expected, not an object")]
    [InlineData("{\"uwsgi\":\n {\"a\": [[]]}}", "f.json:2: key 'a': a list in a list")]
    [InlineData("{\"uwsgi\":\n {\"a\": null}}", "f.json:2: key 'a': null is not a value")]
    [InlineData("{\"uwsgi\": {\"\": 1}}", "f.json:1: a key is empty")]
    [InlineData("{\"uwsgi\": {\"a\": \"\\ud800\"}}", "f.json: not valid JSON: a string is not Unicode text")]
    public void Errors(string text, string message) => Assert.Equal(message, Assert.Throws<ConfigException>(() => Read(text)).Message);

    [Theory]
    [InlineData("")]
    [InlineData("{\"uwsgi\": {\n\"a\": 1")]
    [InlineData("{\"uwsgi\": {}} x")]
    [InlineData("{uwsgi: {}}")]
    public void Malformed(string text) => Assert.Matches(@"^f\.json:\d+: not valid JSON: ", Assert.Throws<ConfigException>(() => Read(text)).Message);

    private static List<ConfigEntry> Read(string text) => JsonConfigReader.Read(text, "f.json", "uwsgi");
}
