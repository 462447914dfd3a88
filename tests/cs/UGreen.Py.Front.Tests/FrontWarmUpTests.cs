using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Front.Uwsgi;
using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class FrontWarmUpTests
{
    private static readonly HttpEndpoint s_http = HttpEndpoint.Parse("127.0.0.1:0");
    private static readonly UwsgiEndpoint s_uwsgi = UwsgiEndpoint.Parse("127.0.0.1:0");
    private static readonly HttpEndpoint s_tls = HttpEndpoint.ParseTls("127.0.0.1:0,/nonexistent/cert.pem,/nonexistent/key.pem");

    [Fact]
    public async Task Requests_of_each_protocol_are_answered()
    {
        Assert.Equal(2, await Run(new HttpFrontOptions([s_http])));
        Assert.Equal(1, await Run(new HttpFrontOptions([]) { UwsgiEndpoints = [s_uwsgi] }));
        Assert.Equal(3, await Run(new HttpFrontOptions([s_http, s_http, s_tls]) { UwsgiEndpoints = [s_uwsgi] }));
    }

    [Fact]
    public async Task Tls_is_left_out() => Assert.Equal(0, await Run(new HttpFrontOptions([s_tls])));

    /// <summary>The limits are the clients', who may be fewer than none of them would allow.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_limit_on_connections_does_not_matter(int connections)
        => Assert.Equal(2, await Run(new HttpFrontOptions([s_http]) { Limits = new FrontLimits { Connections = connections, KeepAlive = TimeSpan.FromSeconds(1) } }));

    [Fact]
    public async Task What_does_not_work_is_not_thrown()
        => Assert.Equal(0, await Run(new HttpFrontOptions([s_http]) { Limits = new FrontLimits { BodyBytes = 0, Headers = 1 } }));

    private static async Task<int> Run(HttpFrontOptions options)
    {
        var answered = await FrontWarmUp.RunAsync(options, NullLogger.Instance);

        // The abstract name is gone with the front.
        Assert.DoesNotContain(string.Create(CultureInfo.InvariantCulture, $"@ugreen-py-{Environment.ProcessId}-"), await File.ReadAllTextAsync("/proc/net/unix"), StringComparison.Ordinal);
        return answered;
    }
}
