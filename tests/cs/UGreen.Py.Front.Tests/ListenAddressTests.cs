using System.Net;
using UGreen.Py.Front.Sockets;
using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class ListenAddressTests
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
    public void Tcp(string text, string host, int port)
    {
        var address = ListenAddress.Parse("--http", text);

        Assert.Equal((host, port), (address.Host, address.Port));
        Assert.Null(address.UnixPath);
        Assert.Null(address.InheritedFd);
    }

    [Theory]
    [InlineData("/run/app.sock", "/run/app.sock")]
    [InlineData("/run/a:80", "/run/a:80")]
    [InlineData("/run/../run/app.sock", "/run/app.sock")]
    [InlineData("@app", "\0app")]
    [InlineData("@a/b:80", "\0a/b:80")]
    public void Unix(string text, string path)
    {
        var address = ListenAddress.Parse("--http", text);

        Assert.Equal(path, address.UnixPath);
        Assert.Null(address.Host);
    }

    [Theory]
    [InlineData("app.sock")]
    [InlineData("./run/app:80")]
    [InlineData("80x")]
    public void A_relative_path_counts_from_the_start_directory(string text)
        => Assert.Equal(Path.GetFullPath(text), ListenAddress.Parse("--http", text).UnixPath);

    [Fact]
    public void Inherited() => Assert.Equal(3, ListenAddress.Parse("--http", "fd://3").InheritedFd);

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("host:", "the port is missing")]
    [InlineData("host:http", "'http' is not a port")]
    [InlineData(":65536", "'65536' is not a port")]
    [InlineData("65536", "'65536' is not a port")]
    [InlineData(":-1", "'-1' is not a port")]
    [InlineData(":+80", "'+80' is not a port")]
    [InlineData("::1:8080", "in brackets")]
    [InlineData("[::1]", "a port must follow")]
    [InlineData("[::1]8080", "a port must follow")]
    [InlineData("[::1:8080", "closing bracket")]
    [InlineData("[127.0.0.1]:80", "not an IPv6 address")]
    [InlineData("300.0.0.1:80", "not an IPv4 address of four numbers")]
    [InlineData("1.2.3:80", "'1.2.3' is not an IPv4 address of four numbers")]
    [InlineData("127.1:80", "not an IPv4 address of four numbers")]
    [InlineData("1:80", "not an IPv4 address of four numbers")]
    [InlineData("010.0.0.1:80", "not an IPv4 address of four numbers")]
    [InlineData("0x7f.1:80", "not an IPv4 address of four numbers")]
    [InlineData("a b:80", "not a host name")]
    [InlineData("http://x:80", "without a scheme")]
    [InlineData("unix:/run/app.sock", "without 'unix:'")]
    [InlineData("fd://x", "'x' is not a file descriptor")]
    [InlineData("fd://-1", "'-1' is not a file descriptor")]
    [InlineData("@", "1 to 107 bytes")]
    public void Says_what_is_wrong_and_names_the_option(string text, string reason)
    {
        var error = Assert.Throws<FrontException>(() => ListenAddress.Parse("--http", text));

        Assert.StartsWith($"--http '{text}': ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_path_that_no_socket_address_can_hold_is_refused()
    {
        Assert.Throws<FrontException>(() => ListenAddress.Parse("--http", "/" + new string('a', 107)));
        Assert.NotNull(ListenAddress.Parse("--http", "/" + new string('a', 106)).UnixPath);
    }

    [Theory]
    [InlineData(":80", "0.0.0.0")]
    [InlineData("localhost:80", "127.0.0.1")]
    [InlineData("[::1]:80", "::1")]
    public async Task Resolves_to_one_address(string text, string address)
        => Assert.Equal(IPAddress.Parse(address), (await ListenAddress.Parse("--http", text).ResolveAsync()).Address);

    [Fact]
    public async Task A_name_without_an_address_is_an_error_with_the_option()
    {
        var error = await Assert.ThrowsAsync<FrontException>(() => ListenAddress.Parse("--http", "no-such-host.invalid:80").ResolveAsync());

        Assert.StartsWith("--http no-such-host.invalid:80: the host name 'no-such-host.invalid'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Https_takes_an_address_and_two_files()
    {
        var endpoint = HttpEndpoint.ParseTls("[::1]:443, site.pem ,/etc/site.key");

        Assert.Equal("https", endpoint.Scheme);
        Assert.Equal(("::1", 443), (endpoint.Address.Host, endpoint.Address.Port));
        Assert.Equal(new TlsFiles(Path.GetFullPath("site.pem"), "/etc/site.key"), endpoint.Tls);
    }

    [Theory]
    [InlineData(":443")]
    [InlineData(":443,cert.pem")]
    [InlineData(":443,cert.pem,")]
    [InlineData(":443,cert.pem,key.pem,HIGH")]
    public void Https_without_its_files_is_refused(string text)
        => Assert.StartsWith($"--https '{text}': expected ADDR,CERT,KEY", Assert.Throws<FrontException>(() => HttpEndpoint.ParseTls(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_options_name_themselves()
    {
        Assert.StartsWith("--https 'x:y'", Assert.Throws<FrontException>(() => HttpEndpoint.ParseTls("x:y,c,k")).Message, StringComparison.Ordinal);
        Assert.StartsWith("--socket 'x:y'", Assert.Throws<FrontException>(() => Uwsgi.UwsgiEndpoint.Parse("x:y")).Message, StringComparison.Ordinal);
    }
}
