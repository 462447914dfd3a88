using System.Buffers;
using System.Net;
using System.Net.Sockets;
using UGreen.Py.Native;
using Xunit;

namespace UGreen.Py.Front.Tests.Transport;

/// <summary>The kernel's answers, over real sockets.</summary>
public sealed class StreamSocketTests : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
    private readonly Socket _client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly int _fd;
    private bool _isClosed;

    public StreamSocketTests()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _client.Connect(_listener.LocalEndPoint!);
        _fd = StreamSocket.Accept((int)_listener.Handle, out var peer);
        Assert.Equal(_client.LocalEndPoint, peer);
    }

    public void Dispose()
    {
        _client.Dispose();
        _listener.Dispose();
        if (!_isClosed) StreamSocket.Close(_fd);
    }

    [Fact]
    public void With_nobody_waiting_accept_says_EAGAIN() => Assert.Equal(-Errno.EAGAIN, StreamSocket.Accept((int)_listener.Handle, out _));

    [Fact]
    public void The_address_of_this_side_is_the_listeners() => Assert.Equal(_listener.LocalEndPoint, StreamSocket.LocalEndPoint(_fd));

    [Fact]
    public void An_empty_socket_says_EAGAIN_and_an_ended_one_0()
    {
        Assert.Equal(-Errno.EAGAIN, StreamSocket.Receive(_fd, new byte[8]));
        _client.Shutdown(SocketShutdown.Send);
        Poll(SelectMode.SelectRead);
        Assert.Equal(0, StreamSocket.Receive(_fd, new byte[8]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(40)]
    public void Segments_arrive_in_order_in_as_many_calls_as_it_takes(int segments)
    {
        var sequence = Sequence(segments, 1000);
        var expected = sequence.ToArray();
        var calls = 0;
        while (!sequence.IsEmpty)
        {
            var sent = StreamSocket.Send(_fd, sequence);
            Assert.True(sent > 0);
            sequence = sequence.Slice(sent);
            calls++;
        }

        var got = new byte[expected.Length];
        for (var n = 0; n < got.Length;) n += _client.Receive(got, n, got.Length - n, SocketFlags.None);
        Assert.Equal(expected, got);
        Assert.Equal((segments + 15) / 16, calls);
    }

    [Fact]
    public void A_full_socket_says_EAGAIN()
    {
        var block = new byte[1 << 16];
        int sent;
        while ((sent = StreamSocket.Send(_fd, block)) > 0)
        {
        }

        Assert.Equal(-Errno.EAGAIN, sent);
    }

    [Fact]
    public void A_client_that_was_broken_off_gets_a_reset()
    {
        StreamSocket.SetAbortive(_fd);
        StreamSocket.Close(_fd);
        _isClosed = true;
        var error = Assert.Throws<SocketException>(() => _client.Receive(new byte[1]));
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
    }

    [Fact]
    public void A_write_to_a_client_that_has_reset_fails_and_raises_no_signal()
    {
        _client.LingerState = new LingerOption(true, 0);
        _client.Close();
        Poll(SelectMode.SelectRead);
        int sent;
        do sent = StreamSocket.Send(_fd, new byte[10]);
        while (sent > 0);

        Assert.Contains(-sent, new[] { Errno.ECONNRESET, Errno.EPIPE });
    }

    [Fact]
    public void After_the_end_of_writing_the_client_reads_the_end_and_may_still_send()
    {
        StreamSocket.ShutdownWrite(_fd);
        Assert.Equal(0, _client.Receive(new byte[1]));
        _client.Send([7]);
        Poll(SelectMode.SelectRead);
        Assert.Equal(1, StreamSocket.Receive(_fd, new byte[8]));
    }

    private void Poll(SelectMode mode)
    {
        using var look = new Socket(new SafeSocketHandle(_fd, ownsHandle: false));
        Assert.True(look.Poll(TestFront.Patience, mode));
    }

    private static ReadOnlySequence<byte> Sequence(int segments, int bytes)
    {
        Segment? first = null, last = null;
        for (var i = 0; i < segments; i++)
        {
            last = new Segment(Enumerable.Repeat((byte)i, bytes).ToArray(), last);
            first ??= last;
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, Segment? before)
        {
            Memory = bytes;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
