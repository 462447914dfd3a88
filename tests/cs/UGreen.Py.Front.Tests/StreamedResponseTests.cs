using Xunit;

using System.Buffers;
using System.Net.Sockets;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Tests;

public sealed class StreamedResponseTests
{
    [Fact]
    public async Task The_first_flush_brings_head_and_bytes_together_and_the_end_is_clean()
    {
        await using var front = await TestFront.StartAsync(async e =>
        {
            e.Head.Status = 200;
            e.Head.Add("X-Kind", "stream");
            Assert.False(e.Started);
            e.StartStreaming();
            Assert.True(e.Started);
            e.Output.Write("one"u8);
            await e.Output.FlushAsync();
            e.Output.Write("two"u8);
            await e.Output.FlushAsync();
            e.Complete(ExchangeOutcome.Streamed);
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        var first = await client.ReceiveAsync();
        var rest = await client.ReadToEndAsync();

        Assert.Contains("X-Kind: stream\r\n", first, StringComparison.Ordinal);
        Assert.Contains("\r\n\r\n3\r\none\r\n", first, StringComparison.Ordinal);
        Assert.EndsWith("3\r\ntwo\r\n0\r\n\r\n", first + rest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_sent_before_the_first_flush_and_an_empty_flush_sends_the_head()
    {
        var goOn = new TaskCompletionSource();
        await using var front = await TestFront.StartAsync(async e =>
        {
            e.Head.Status = 200;
            e.StartStreaming();
            await e.Output.FlushAsync();
            await goOn.Task;
            e.Complete(ExchangeOutcome.Streamed);
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        var head = await client.ReadUntilAsync("\r\n\r\n");
        goOn.SetResult();

        Assert.Contains("Transfer-Encoding: chunked", head, StringComparison.Ordinal);
        Assert.Equal("0\r\n\r\n", await client.ReadUntilAsync("0\r\n\r\n"));
    }

    [Fact]
    public async Task A_client_that_does_not_read_stops_the_writer()
    {
        const int chunk = 16 * 1024;
        var stopped = new TaskCompletionSource<long>();
        await using var front = await TestFront.StartAsync(async e =>
        {
            e.Head.Status = 200;
            e.StartStreaming();
            var bytes = 0L;
            var flush = default(ValueTask<System.IO.Pipelines.FlushResult>);
            // Kernel buffers take some MiB on loopback; 64 MiB without a pause would mean that nothing bounds the writer.
            while (bytes < 64 << 20)
            {
                e.Output.Write(new byte[chunk]);
                bytes += chunk;
                flush = e.Output.FlushAsync();
                if (!flush.IsCompleted) break;
                await flush;
                flush = default;
            }

            stopped.SetResult(bytes);
            await flush;
            e.Complete(ExchangeOutcome.Streamed);
        });
        using var client = await RawClient.ConnectAsync(front, receiveBufferBytes: 8 * 1024);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        var before = await stopped.Task.WaitAsync(TestFront.Patience);
        var all = await client.ReadToEndAsync();

        Assert.InRange(before, 1, (64 << 20) - 1);
        Assert.EndsWith("0\r\n\r\n", all, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1")]
    [InlineData("HTTP/1.0")]
    public async Task An_aborted_response_is_an_error_for_the_client(string protocol)
    {
        var seen = new TaskCompletionSource();
        await using var front = await TestFront.StartAsync(async e =>
        {
            e.Head.Status = 200;
            e.StartStreaming();
            e.Output.Write("part"u8);
            await e.Output.FlushAsync();
            await seen.Task;
            e.Complete(ExchangeOutcome.Aborted);
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync($"GET / {protocol}\r\nHost: x\r\n\r\n");
        await client.ReadUntilAsync("part");
        seen.SetResult();

        var error = await Assert.ThrowsAsync<SocketException>(client.ReadToEndAsync);
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
    }

    [Fact]
    public async Task A_body_shorter_than_its_length_is_not_a_clean_keep_alive_response()
    {
        await using var front = await TestFront.StartAsync(async e =>
        {
            e.Head.Status = 200;
            e.Head.ContentLength = 10;
            e.StartStreaming();
            e.Output.Write("part"u8);
            await e.Output.FlushAsync();
            e.Complete(ExchangeOutcome.Streamed);
        });
        using var client = await RawClient.ConnectAsync(front);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");

        // Ends (in which way is Kestrel's) instead of leaving the client waiting for 6 more bytes.
        await client.ReadUntilAsync("part");
        await Record.ExceptionAsync(client.ReadToEndAsync);
    }
}
