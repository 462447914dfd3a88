using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Primitives;
using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class ForwardedTests
{
    private static readonly ForwardedPeers s_peers = ForwardedPeers.Parse("10.0.0.0/8, 192.0.2.1,fd00::/8");

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("11.0.0.0", false)]
    [InlineData("192.0.2.1", true)]
    [InlineData("192.0.2.2", false)]
    [InlineData("fd12::1", true)]
    [InlineData("::1", false)]
    [InlineData("::ffff:10.0.0.1", true)]
    [InlineData(null, false)]
    public void Peers(string? address, bool expected) => Assert.Equal(expected, s_peers.Has(address is null ? null : IPAddress.Parse(address)));

    [Theory]
    [InlineData("unix", null, true)]
    [InlineData("unix", "127.0.0.1", false)]
    [InlineData("*", null, true)]
    [InlineData("*", "192.0.2.9", true)]
    [InlineData("0.0.0.0/0", "192.0.2.9", true)]
    [InlineData("0.0.0.0/0", null, false)]
    public void Unix_and_everybody(string text, string? address, bool expected)
        => Assert.Equal(expected, ForwardedPeers.Parse(text).Has(address is null ? null : IPAddress.Parse(address)));

    [Theory]
    [InlineData("")]
    [InlineData("localhost")]
    [InlineData("10.1")]
    [InlineData("10/8")]
    [InlineData("10.0.0.1/8")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/")]
    [InlineData("127.0.0.1,,::1")]
    public void Others_are_refused_in_one_line(string text)
    {
        var error = Assert.Throws<FrontException>(() => ForwardedPeers.Parse(text));

        Assert.StartsWith($"--forwarded-allow '{text}': ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7:0")]
    [InlineData("203.0.113.7:1234", "203.0.113.7:1234")]
    [InlineData("[2001:db8::1]:99", "[2001:db8::1]:99")]
    [InlineData("2001:db8::1", "[2001:db8::1]:0")]
    [InlineData("1.1.1.1, 203.0.113.7", "203.0.113.7:0")]
    [InlineData("1.1.1.1,203.0.113.7 ,10.0.0.1, 10.0.0.2", "203.0.113.7:0")]
    [InlineData("10.0.0.1,10.0.0.2", "10.0.0.1:0")]
    [InlineData("::ffff:203.0.113.7", "203.0.113.7:0")]
    [InlineData("junk, 203.0.113.7", "203.0.113.7:0")]
    [InlineData("203.0.113.7, junk, 10.0.0.2", "10.0.0.2:0")]
    [InlineData("", null)]
    [InlineData("junk", null)]
    [InlineData("203.0.113", null)]
    [InlineData("0x7f.1", null)]
    [InlineData("1.1.1.1, 203.0.113.7,", null)]
    public void The_client(string value, string? expected)
    {
        var headers = new HeaderDictionary { ["X-Forwarded-For"] = value };

        var found = ForwardedHeaders.TryGetClient(headers, s_peers, NullLogger.Instance, out var client);

        Assert.Equal(expected, found ? client.ToString() : null);
    }

    [Fact]
    public void Several_fields_are_one_list()
    {
        var headers = new HeaderDictionary { ["X-Forwarded-For"] = new StringValues(["1.1.1.1", "203.0.113.7", "10.0.0.1"]) };

        Assert.True(ForwardedHeaders.TryGetClient(headers, s_peers, NullLogger.Instance, out var client));
        Assert.Equal("203.0.113.7", client.Address.ToString());
        Assert.True(ForwardedHeaders.TryGetClient(headers, ForwardedPeers.Parse("*"), NullLogger.Instance, out client));
        Assert.Equal("1.1.1.1", client.Address.ToString());
    }

    [Theory]
    [InlineData("https", "https")]
    [InlineData("HTTP", "http")]
    [InlineData("http, https", "https")]
    [InlineData("gopher", null)]
    [InlineData("https,", null)]
    [InlineData("", null)]
    public void The_scheme(string value, string? expected)
        => Assert.Equal(expected, ForwardedHeaders.Scheme(new HeaderDictionary { ["X-Forwarded-Proto"] = value }, NullLogger.Instance));

    [Fact]
    public void Without_the_headers_there_is_nothing_to_believe()
    {
        Assert.False(ForwardedHeaders.TryGetClient(new HeaderDictionary(), s_peers, NullLogger.Instance, out _));
        Assert.Null(ForwardedHeaders.Scheme(new HeaderDictionary(), NullLogger.Instance));
    }
}
