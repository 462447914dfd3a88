using Xunit;

using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Uwsgi.Tests;

/// <summary>The application side hands over an open file and is done with the request.</summary>
public sealed class FileResponseTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();
    private SafeFileHandle? _handed;

    public void Dispose()
    {
        File.Delete(_path);
        Assert.True(SpinWait.SpinUntil(() => _handed is null or { IsClosed: true }, TestFront.Patience), "the file is still open");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_part_of_a_file_is_the_body(bool unix)
    {
        await File.WriteAllTextAsync(_path, "0123456789");
        await using var front = await TestFront.StartAsync(e => Hand(e, 2, 5));
        using var client = await front.ConnectAsync(unix);
        Assert.Equal("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n23456", await client.AskAsync(Packet.Request("GET")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_byte_of_a_large_file_comes_in_its_place(bool unix)
    {
        var text = string.Concat(Enumerable.Range(0, 200_000).Select(i => $"{i:d7}\n"));
        await File.WriteAllTextAsync(_path, text);
        await using var front = await TestFront.StartAsync(e => Hand(e, 8, text.Length - 8));
        using var client = await front.ConnectAsync(unix, receiveBufferBytes: 8 * 1024);
        var answer = await client.AskAsync(Packet.Request("GET"));
        Assert.Equal(text[8..], answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
    }

    [Fact]
    public async Task A_file_that_ends_too_early_breaks_the_response_off()
    {
        await File.WriteAllTextAsync(_path, "0123456789");
        await using var front = await TestFront.StartAsync(e => Hand(e, 0, 11));
        using var client = await front.ConnectAsync();
        var error = await Assert.ThrowsAsync<SocketException>(() => client.AskAsync(Packet.Request("GET")));
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
    }

    [Fact]
    public async Task A_client_that_leaves_closes_the_file()
    {
        await using (var file = File.OpenWrite(_path)) file.SetLength(64 << 20);
        await using var front = await TestFront.StartAsync(e => Hand(e, 0, 64 << 20));
        using var client = await front.ConnectAsync(receiveBufferBytes: 8 * 1024);
        await client.SendAsync(Packet.Request("GET"));
        Assert.StartsWith("HTTP/1.1 200 OK", await client.ReceiveAsync(), StringComparison.Ordinal);
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
        using var client = await front.ConnectAsync();
        var answer = await client.AskAsync(Packet.Request("GET"));
        Assert.StartsWith("HTTP/1.1 500 ", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nInternal Server Error\n", answer, StringComparison.Ordinal);
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
