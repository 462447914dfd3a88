using System.Text;
using UGreen.Py.Gateway;
using Xunit;

namespace UGreen.Py.Wsgi.Tests;

public sealed class PercentDecoderTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("/plain", "/plain")]
    [InlineData("/a%20b", "/a b")]
    [InlineData("/%C3%A9", "/\u00c3\u00a9")]
    [InlineData("/%c3%a9", "/\u00c3\u00a9")]
    [InlineData("/%2F%3f%25", "//?%")]
    [InlineData("/%2541", "/%41")]
    [InlineData("/%00%ff", "/\0\u00ff")]
    [InlineData("/a+b", "/a+b")]
    [InlineData("%41", "A")]
    public void Two_hex_digits_are_one_byte_and_one_byte_is_one_character(string path, string decoded) => Assert.Equal(decoded, Decode(path));

    [Theory]
    [InlineData("%")]
    [InlineData("/%")]
    [InlineData("/%4")]
    [InlineData("/%zz")]
    [InlineData("/%4g")]
    [InlineData("/%g4")]
    [InlineData("/100%/x")]
    [InlineData("/%%")]
    public void A_percent_sign_without_two_hex_digits_stays(string path) => Assert.Equal(path, Decode(path));

    [Fact]
    public void A_percent_sign_that_stays_does_not_swallow_what_follows() => Assert.Equal("/%A", Decode("/%%41"));

    [Fact]
    public void Every_byte_comes_back()
    {
        var encoded = new StringBuilder();
        for (var i = 0; i < 256; i++) encoded.Append($"%{i:X2}");
        Assert.Equal(new string([.. Enumerable.Range(0, 256).Select(i => (char)i)]), Decode(encoded.ToString()));
    }

    private static string Decode(string path)
    {
        var target = new char[path.Length];
        return new string(target, 0, PercentDecoder.Decode(path, target));
    }
}
