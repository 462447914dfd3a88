using Xunit;

using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Tests;

/// <summary>The application side hands over an open file and is done with the request.</summary>
public sealed class FileResponseTests : IDisposable
{
    private const string Request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    private readonly string _path = Path.GetTempFileName();
    private SafeFileHandle? _handed;

    public void Dispose()
    {
        File.Delete(_path);
        // Whatever became of the response, the file was closed.
        Assert.True(SpinWait.SpinUntil(() => _handed is null or { IsClosed: true }, TestFront.Patience), "the file is still open");
    }

    [Fact]
    public async Task A_part_of_a_file_is_the_body_and_the_connection_lives_on()
    {
        await File.WriteAllTextAsync(_path, "0123456789");
        await using var front = await TestFront.StartAsync(e => Hand(e, 2, 5));
        using var client = await RawClient.ConnectAsync(front);
        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync(Request);
            Assert.Contains("Content-Length: 5\r\n", await client.ReadUntilAsync("\r\n\r\n"), StringComparison.Ordinal);
            Assert.Equal("23456", await client.ReadUntilAsync("6"));
        }
    }

    [Fact]
    public async Task Every_byte_of_a_large_file_comes_in_its_place()
    {
        var text = string.Concat(Enumerable.Range(0, 200_000).Select(i => $"{i:d7}\n"));
        await File.WriteAllTextAsync(_path, text);
        await using var front = await TestFront.StartAsync(e => Hand(e, 8, text.Length - 8));
        using var client = await RawClient.ConnectAsync(front, receiveBufferBytes: 8 * 1024);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        await client.ReadUntilAsync("\r\n\r\n");
        Assert.Equal(text[8..], await client.ReadToEndAsync());
    }

    [Fact]
    public async Task A_file_that_ends_too_early_breaks_the_response_off()
    {
        await File.WriteAllTextAsync(_path, "0123456789");
        await using var front = await TestFront.StartAsync(e => Hand(e, 0, 11));
        using var client = await RawClient.ConnectAsync(front);
        await client.SendAsync(Request);
        var error = await Assert.ThrowsAsync<SocketException>(client.ReadToEndAsync);
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
    }

    [Fact]
    public async Task A_client_that_leaves_closes_the_file()
    {
        await using (var file = File.OpenWrite(_path)) file.SetLength(64 << 20);
        await using var front = await TestFront.StartAsync(e => Hand(e, 0, 64 << 20));
        using var client = await RawClient.ConnectAsync(front, receiveBufferBytes: 8 * 1024);
        await client.SendAsync(Request);
        await client.ReadUntilAsync("\r\n\r\n");
        Assert.False(_handed!.IsClosed);
        client.Reset();
    }

    [Fact]
    public async Task A_head_that_cannot_be_sent_is_a_500()
    {
        await File.WriteAllTextAsync(_path, "0123456789");
        await using var front = await TestFront.StartAsync(e =>
        {
            e.Head.Add("X-Bad", "a\nb");
            Hand(e, 0, 10);
        });
        using var client = await RawClient.ConnectAsync(front);
        await client.SendAsync(Request);
        Assert.StartsWith("HTTP/1.1 500 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ExchangeOutcome.Whole)]
    [InlineData(ExchangeOutcome.Streamed)]
    public async Task A_response_that_is_to_end_the_connection_is_whole_and_does(ExchangeOutcome outcome)
    {
        await using var front = await TestFront.StartAsync(async e =>
        {
            e.Head.Status = 200;
            e.Head.ContentLength = 5;
            if (outcome == ExchangeOutcome.Whole)
            {
                FakeApplication.WholeBody(e, "hello");
            }
            else
            {
                e.StartStreaming();
                await e.Output.WriteAsync("hello"u8.ToArray());
            }

            e.ClosesConnection = true;
            e.Complete(outcome);
        });
        using var client = await RawClient.ConnectAsync(front);
        await client.SendAsync(Request);
        Assert.EndsWith("\r\n\r\nhello", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    private void Hand(GatewayExchange exchange, long offset, long length)
    {
        exchange.Head.Status = 200;
        exchange.Head.ContentLength = length;
        _handed = File.OpenHandle(_path, share: FileShare.ReadWrite | FileShare.Delete);
        exchange.SetFile(_handed, offset, length);
        exchange.Complete(ExchangeOutcome.File);
    }
}
