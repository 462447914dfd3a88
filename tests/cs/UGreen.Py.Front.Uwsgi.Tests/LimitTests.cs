using System.Threading.Channels;
using UGreen.Py.Gateway;
using Xunit;

namespace UGreen.Py.Front.Uwsgi.Tests;

public sealed class LimitTests
{
    private static readonly (string, string)[] s_post = [("REQUEST_METHOD", "POST"), ("CONTENT_LENGTH", "9")];

    [Fact]
    public async Task A_body_longer_than_the_limit_is_refused_before_the_application_runs()
    {
        await using var front = await TestFront.StartAsync(_ => Assert.Fail("the application ran"), new UwsgiFrontOptions { BodyBytes = 8 });
        using var client = await front.ConnectAsync();

        Assert.StartsWith("HTTP/1.1 413 ", await client.AskAsync([.. Packet.Of(s_post), .. "123456789"u8]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_is_silent_in_the_middle_of_a_body_is_told(bool unix)
    {
        var faults = Channel.CreateUnbounded<(int, string)>();
        var options = new UwsgiFrontOptions { Pause = TimeSpan.FromMilliseconds(200), LingerTimeout = TimeSpan.FromMilliseconds(100) };
        await using var front = await TestFront.StartAsync(
            async e =>
            {
                var read = await e.Body.ReadAsync();
                e.Body.AdvanceTo(read.Buffer.End);
                var error = await Assert.ThrowsAsync<IOException>(async () => await e.Body.ReadAsync());
                faults.Writer.TryWrite((e.FaultStatus, error.Message));
                e.FillPlain(408, "Request Timeout");
                e.Complete(ExchangeOutcome.Whole);
            },
            options);
        using var client = await front.ConnectAsync(unix);

        Assert.StartsWith("HTTP/1.1 408 ", await client.AskAsync([.. Packet.Of(s_post), .. "123"u8]), StringComparison.Ordinal);
        Assert.Equal((408, "timeout: the client sent nothing for 0.2 s"), await faults.Reader.ReadAsync().AsTask().WaitAsync(TestFront.Patience));
    }
}
