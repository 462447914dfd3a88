using UGreen.Py.Front;
using UGreen.Py.Server.Hosting;
using Xunit;
using static UGreen.Py.Server.Tests.CommandLineFacts;

namespace UGreen.Py.Server.Tests;

public sealed class LimitOptionTests
{
    [Fact]
    public void Without_options_they_are_those_of_the_front()
    {
        var options = Run("app");

        Assert.Equal(new FrontLimits(), options.Limits);
        Assert.Null(options.BufferSize);
    }

    [Fact]
    public void Each_is_read()
    {
        var options = Run(
            "app", "--buffer-size", "8192", "--max-headers", "50", "--limit-post", "1000000", "--http-timeout", "2.5", "--headers-timeout", "3", "--http-keepalive", "4", "--max-connections", "70");

        Assert.Equal(8192, options.BufferSize);
        Assert.Equal(
            new FrontLimits
            {
                HeadBytes = 8192,
                Headers = 50,
                BodyBytes = 1_000_000,
                Pause = TimeSpan.FromSeconds(2.5),
                Head = TimeSpan.FromSeconds(3),
                KeepAlive = TimeSpan.FromSeconds(4),
                Connections = 70,
            },
            options.Limits);
    }

    [Fact]
    public void Zero_means_none()
    {
        var limits = Run("app", "--limit-post", "0", "--socket-timeout", "0", "--http-keepalive", "0", "--max-connections", "0").Limits;

        Assert.Equal((null, null, null, null), (limits.BodyBytes, limits.Pause, limits.KeepAlive, limits.Connections));
    }

    [Theory]
    [InlineData("--limit-post: '1k' is not a whole number", "--limit-post", "1k")]
    [InlineData("--limit-post: -1 is out of range (0 to 9223372036854775807)", "--limit-post", "-1")]
    [InlineData("--max-headers: 0 is out of range (1 to 65535)", "--max-headers", "0")]
    [InlineData("--buffer-size: 63 is out of range (64 to 65535)", "--buffer-size", "63")]
    [InlineData("--http-timeout: 'soon' is not a number of seconds", "--http-timeout", "soon")]
    [InlineData("--http-timeout: 0.01 is out of range (0.1 to 86400 s, or 0)", "--http-timeout", "0.01")]
    [InlineData("--headers-timeout: 0 is out of range (0.1 to 86400 s)", "--headers-timeout", "0")]
    [InlineData("--http-keepalive: 86401 is out of range (0.1 to 86400 s, or 0)", "--http-keepalive", "86401")]
    [InlineData("--max-connections: 'x' is not a whole number", "--max-connections", "x")]
    public void A_wrong_value_is_one_line(string message, params string[] args) => Assert.Equal(message, Assert.Single(Errors([.. args, "app"])));

    [Theory]
    [InlineData(1024, 100, 512)]
    [InlineData(20_000, 100, 19_344)]
    [InlineData(20_000, 5_000, 10_000)]
    [InlineData(1, 100, 1)]
    [InlineData(long.MaxValue, 1, int.MaxValue)]
    public void Connections_get_what_descriptors_allow(long limit, int cores, int connections) => Assert.Equal(connections, DescriptorBudget.Connections(limit, cores));

    [Theory]
    [InlineData("Max open files            1024                 524288               files     ", 1024L)]
    [InlineData("Max open files            unlimited            unlimited            files     ", null)]
    [InlineData("Max processes             7                    7                    processes ", null)]
    public void The_kernels_table_is_read(string row, long? limit) => Assert.Equal(limit, DescriptorBudget.Find(["Limit  Soft Limit  Hard Limit  Units", row]));
}
