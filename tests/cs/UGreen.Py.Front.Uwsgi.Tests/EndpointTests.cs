using Xunit;

using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace UGreen.Py.Front.Uwsgi.Tests;

public sealed class EndpointTests
{
    [Theory]
    [InlineData(":3031", "0.0.0.0:3031")]
    [InlineData("*:3031", "0.0.0.0:3031")]
    [InlineData("127.0.0.1:0", "127.0.0.1:0")]
    [InlineData("localhost:80", "127.0.0.1:80")]
    [InlineData("[::1]:3031", "[::1]:3031")]
    public void Tcp(string text, string address) => Assert.Equal(address, ((IPEndPoint)UwsgiEndpoint.Parse(text).Address!).ToString());

    [Fact]
    public void Unix_and_inherited_sockets()
    {
        Assert.Equal("/run/app.sock", Assert.IsType<UnixDomainSocketEndPoint>(UwsgiEndpoint.Parse("/run/app.sock").Address).ToString());
        Assert.Equal("/run/a:b", Assert.IsType<UnixDomainSocketEndPoint>(UwsgiEndpoint.Parse("/run/a:b").Address).ToString());
        Assert.Equal(Path.GetFullPath("app.sock"), Assert.IsType<UnixDomainSocketEndPoint>(UwsgiEndpoint.Parse("app.sock").Address).ToString());
        Assert.Equal("@app", Assert.IsType<UnixDomainSocketEndPoint>(UwsgiEndpoint.Parse("@app").Address).ToString());
        Assert.Equal(3u, Assert.IsType<FileHandleEndPoint>(UwsgiEndpoint.Parse("fd://3").Address).FileHandle);
    }

    [Fact]
    public async Task A_name_is_looked_up()
    {
        var endpoint = UwsgiEndpoint.Parse("ip6-no-such-host.invalid:3031");
        Assert.Null(endpoint.Address);
        var error = await Assert.ThrowsAsync<FrontException>(() => endpoint.ResolveAsync());
        Assert.Contains("--socket", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1:")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("127.0.0.1:+1")]
    [InlineData("::1:3031")]
    [InlineData("http://127.0.0.1:3031")]
    [InlineData("fd://x")]
    [InlineData("@")]
    public void Others_are_refused_in_one_line(string text)
    {
        var error = Assert.Throws<FrontException>(() => UwsgiEndpoint.Parse(text));
        Assert.StartsWith("--socket '", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_path_that_no_socket_address_can_hold_is_refused() => Assert.Throws<FrontException>(() => UwsgiEndpoint.Parse("/" + new string('a', 107)));
}
