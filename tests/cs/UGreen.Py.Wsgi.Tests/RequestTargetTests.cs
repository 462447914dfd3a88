using UGreen.Py.Gateway;
using Xunit;

namespace UGreen.Py.Wsgi.Tests;

public sealed class RequestTargetTests
{
    [Theory]
    [InlineData("/", "/", "")]
    [InlineData("/a/b", "/a/b", "")]
    [InlineData("/a?", "/a", "")]
    [InlineData("/a?b=c", "/a", "b=c")]
    [InlineData("/a?b?c=/d", "/a", "b?c=/d")]
    [InlineData("/?x", "/", "x")]
    [InlineData("//a//b", "//a//b", "")]
    [InlineData("/a%3Fb?c%3Fd", "/a%3Fb", "c%3Fd")]
    [InlineData("/go?to=http://other/x?y", "/go", "to=http://other/x?y")]
    [InlineData("/http://other/x", "/http://other/x", "")]
    [InlineData("*", "*", "")]
    [InlineData("http://host/a?b", "/a", "b")]
    [InlineData("http://host:8080/", "/", "")]
    [InlineData("http://host", "/", "")]
    [InlineData("http://host?b", "/", "b")]
    [InlineData("http://user@host/a://b?c", "/a://b", "c")]
    [InlineData("HTTPS://host/a", "/a", "")]
    [InlineData("", "/", "")]
    [InlineData("?b", "/", "b")]
    public void A_target_is_split_into_path_and_query(string target, string path, string query)
    {
        RequestTarget.Split(target, out var foundPath, out var foundQuery);
        Assert.Equal((path, query), (foundPath.ToString(), foundQuery.ToString()));
    }
}
