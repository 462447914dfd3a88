using UGreen.Py.Server.Options.Config;
using Xunit;

namespace UGreen.Py.Server.Tests.Config;

public sealed class IniReaderTests
{
    private readonly List<string> _warnings = [];

    [Fact]
    public void Keys_of_the_section_in_their_order_with_their_lines()
    {
        var text = "\r\n; a comment\r\n[uwsgi]\r\nb = 1\r\n  # indented\r\n  a=x=y \r\nalone\r\nempty =\r\nb=  2\r\n[other]\r\nc = 3\r\n[ uwsgi ] ; again\r\nb = three ; not a comment # either\r\n";

        Assert.Equal(
            [("b", "1", 4), ("a", "x=y", 6), ("alone", null, 7), ("empty", "", 8), ("b", "2", 9), ("b", "three ; not a comment # either", 13)],
            Read(text).Select(e => (e.Key, e.Value, e.Source.Line)));
        Assert.Equal([("c", "3")], Read(text, "other").Select(e => (e.Key, e.Value!)));
        Assert.Empty(_warnings);
    }

    [Fact]
    public void A_key_before_the_first_section_is_told()
    {
        Assert.Empty(Read("a = 1\n[uwsgi]\n"));
        Assert.Equal("f.ini:1: 'a = 1' stands before the first [section]; ignored", Assert.Single(_warnings));
    }

    [Theory]
    [InlineData("[a]\n[b]\n", "f.ini: no section [uwsgi]; the file has [a], [b]")]
    [InlineData("", "f.ini: no section [uwsgi]; the file has no sections")]
    [InlineData("[uwsgi]\n[other\n", "f.ini:2: '[other': ']' is missing")]
    [InlineData("[uwsgi] x\n", "f.ini:1: '[uwsgi] x': text behind ']'")]
    [InlineData("[uwsgi]\n= x\n", "f.ini:2: '= x': a key is missing before '='")]
    [InlineData("[uwsgi]\n=\u001b[31m\n", "f.ini:2: '=\\x1b[31m': a key is missing before '='")]
    public void Errors(string text, string message) => Assert.Equal(message, Assert.Throws<ConfigException>(() => Read(text)).Message);

    private List<ConfigEntry> Read(string text, string section = "uwsgi") => IniReader.Read(text, "f.ini", section, _warnings);
}
