using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Gateway;
using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class BodyFaultTests
{
    private readonly Channel<(int Status, string Message)> _faults = Channel.CreateUnbounded<(int, string)>();

    [Theory]
    [InlineData("Content-Length: 9\r\n\r\nabc", 408, "timeout: the client sent nothing for 0.2 s")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 408, "timeout: the client sent nothing for 0.2 s")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n2\r\nab\r\n", 413, "the body has more than the 10 bytes of --limit-post")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, "Bad chunk size data")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", 400, "Bad chunk size data")]
    public async Task A_body_that_cannot_be_read_says_why_and_the_connection_ends(string rest, int status, string message)
    {
        await using var front = await StartAsync(TimeSpan.FromMilliseconds(200));
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: x\r\n" + rest);

        Assert.Equal((status, message), await FaultAsync());
        Assert.Contains("\r\nConnection: close\r\n", await client.ReadUntilAsync("\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Content-Length: 9\r\n\r\nabc")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nabc")]
    public async Task A_client_that_left_is_not_one_that_sends_nonsense(string rest)
    {
        // Nothing may be taken for silence here: a machine may stand still between the send and the close.
        await using var front = await StartAsync(TestFront.Patience);
        using (var client = await RawClient.ConnectAsync(front)) await client.SendAsync("POST / HTTP/1.1\r\nHost: x\r\n" + rest);

        Assert.Equal((499, "the client closed the connection before the end of the body"), await FaultAsync());
    }

    private Task<(int Status, string Message)> FaultAsync() => _faults.Reader.ReadAsync().AsTask().WaitAsync(TestFront.Patience);

    private async Task<HttpFront> StartAsync(TimeSpan pause)
    {
        var limits = new FrontLimits { BodyBytes = 10, Pause = pause };
        var front = new HttpFront(
            new HttpFrontOptions([HttpEndpoint.Parse("127.0.0.1:0")]) { Limits = limits }, new FakeApplication(ReadAsync), accessLog: null, NullLoggerFactory.Instance);
        await front.StartAsync();
        return front;
    }

    private async Task ReadAsync(GatewayExchange exchange)
    {
        try
        {
            while (true)
            {
                var read = await exchange.Body.ReadAsync();
                exchange.Body.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted) break;
            }
        }
        catch (IOException e)
        {
            // A second read says the same, at once.
            var again = await Assert.ThrowsAsync<IOException>(async () => await exchange.Body.ReadAsync());
            Assert.Equal(e.Message, again.Message);
            _faults.Writer.TryWrite((exchange.FaultStatus, e.Message));
        }

        FakeApplication.Whole(exchange, "");
    }
}
