using Xunit;

using System.Net;

namespace UGreen.Py.Front.Tests;

public sealed class HttpEndpointTests
{
    [Theory]
    [InlineData(":8080", "", 8080)]
    [InlineData("8080", "", 8080)]
    [InlineData("*:8080", "", 8080)]
    [InlineData("127.0.0.1:0", "127.0.0.1", 0)]
    [InlineData("localhost:80", "localhost", 80)]
    [InlineData("my-host.example:65535", "my-host.example", 65535)]
    [InlineData("[::1]:8080", "::1", 8080)]
    [InlineData(" :8080 ", "", 8080)]
    public void Reads_each_form(string text, string host, int port)
    {
        var endpoint = HttpEndpoint.Parse(text);

        Assert.Equal(host, endpoint.Host);
        Assert.Equal(port, endpoint.Port);
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("localhost", "'localhost' is not a port")]
    [InlineData("host:", "the port is missing")]
    [InlineData("host:http", "'http' is not a port")]
    [InlineData(":65536", "'65536' is not a port")]
    [InlineData(":-1", "'-1' is not a port")]
    [InlineData(":+80", "'+80' is not a port")]
    [InlineData("::1:8080", "in brackets")]
    [InlineData("[::1]", "a port must follow")]
    [InlineData("[::1]8080", "a port must follow")]
    [InlineData("[::1:8080", "closing bracket")]
    [InlineData("[127.0.0.1]:80", "not an IPv6 address")]
    [InlineData("300.0.0.1:80", "not an IPv4 address")]
    [InlineData("a b:80", "not a host name")]
    [InlineData("http://x:80", "without a scheme")]
    public void Says_what_is_wrong_and_names_the_option(string text, string reason)
    {
        var error = Assert.Throws<FrontException>(() => HttpEndpoint.Parse(text));

        Assert.StartsWith($"--http '{text}': ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData(":80", "0.0.0.0")]
    [InlineData("localhost:80", "127.0.0.1")]
    [InlineData("[::1]:80", "::1")]
    public async Task Resolves_to_one_address(string text, string address)
        => Assert.Equal(IPAddress.Parse(address), (await HttpEndpoint.Parse(text).ResolveAsync()).Address);

    [Fact]
    public async Task A_name_without_an_address_is_an_error_with_the_option()
    {
        var error = await Assert.ThrowsAsync<FrontException>(() => HttpEndpoint.Parse("no-such-host.invalid:80").ResolveAsync());

        Assert.StartsWith("--http no-such-host.invalid:80: the host name 'no-such-host.invalid'", error.Message, StringComparison.Ordinal);
    }
}
