using UGreen.Py.CPython;
using UGreen.Py.Wsgi.Environ;
using Xunit;

namespace UGreen.Py.Wsgi.Tests;

[Collection(PythonCollection.Name)]
public sealed class HeaderKeysTests(PythonThread python)
{
    private const int Limit = 512;

    [Theory]
    [InlineData("Accept-Language", "HTTP_ACCEPT_LANGUAGE")]
    [InlineData("host", "HTTP_HOST")]
    [InlineData("X-3-d", "HTTP_X_3_D")]
    [InlineData("Content-Type", "CONTENT_TYPE")]
    [InlineData("content-length", "CONTENT_LENGTH")]
    [InlineData("Content-Types", "HTTP_CONTENT_TYPES")]
    public void A_header_has_its_CGI_name(string header, string key) => python.Run(() => Assert.Equal(key, PyText.ToText(new HeaderKeys().For(header).Key)));

    [Fact]
    public void The_same_name_in_any_case_is_the_same_object() => python.Run(() =>
    {
        var keys = new HeaderKeys();
        Assert.Same(keys.For("Accept"), keys.For("ACCEPT"));
        Assert.True(keys.For("accept").IsShared);
    });

    [Fact]
    public void Beyond_the_limit_names_are_not_kept() => python.Run(() =>
    {
        var keys = new HeaderKeys();
        for (var i = 0; i < Limit; i++) Assert.True(keys.For($"X-{i}").IsShared);
        var late = keys.For("X-Late");
        Assert.False(late.IsShared);
        Assert.Equal("HTTP_X_LATE", PyText.ToText(late.Key));
        Assert.NotSame(late, keys.For("X-Late"));
        late.Release();

        // Those from before are still there.
        Assert.True(keys.For("x-0").IsShared);
    });

    [Fact]
    public void The_last_value_is_kept_as_a_Python_string() => python.Run(() =>
    {
        var key = new HeaderKeys().For("Host");
        var first = key.Value("example.org");
        Assert.Equal(first, key.Value(new string("example.org".ToCharArray())));
        Assert.Equal("other", PyText.ToText(key.Value("other")));
        Assert.Equal("", PyText.ToText(key.Value("")));
    });
}
