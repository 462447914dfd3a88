using System.Net;
using System.Net.Sockets;
using System.Text;

namespace UGreen.Py.Front.Tests;

/// <summary>A client that shows each byte: what came in one read, what came before the end, and which kind of end it was.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private string _pending = "";

    private RawClient(Socket socket) => _socket = socket;

    public static Task<RawClient> ConnectAsync(HttpFront front, int? receiveBufferBytes = null)
        => ConnectAsync(new IPEndPoint(IPAddress.Loopback, new Uri(front.Addresses[0]).Port), receiveBufferBytes);

    public static async Task<RawClient> ConnectAsync(EndPoint endPoint, int? receiveBufferBytes = null)
    {
        var isUnix = endPoint is UnixDomainSocketEndPoint;
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            if (!isUnix) socket.NoDelay = true;
            if (receiveBufferBytes is { } bytes) socket.ReceiveBufferSize = bytes;
            await socket.ConnectAsync(endPoint, Deadline());
            return new RawClient(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async Task SendAsync(string text) => await _socket.SendAsync(Encoding.Latin1.GetBytes(text), SocketFlags.None, Deadline());

    /// <summary>What one read of the socket gives; empty at a clean end.</summary>
    public async Task<string> ReceiveAsync()
    {
        var count = await _socket.ReceiveAsync(_buffer, SocketFlags.None, Deadline());
        return Encoding.Latin1.GetString(_buffer, 0, count);
    }

    /// <summary>Reads on until <paramref name="mark"/> came; returns everything up to and with it.</summary>
    public async Task<string> ReadUntilAsync(string mark)
    {
        int at;
        while ((at = _pending.IndexOf(mark, StringComparison.Ordinal)) < 0)
        {
            var more = await ReceiveAsync();
            if (more.Length == 0) throw new EndOfStreamException($"end before '{mark}'; got: {_pending}");
            _pending += more;
        }

        var result = _pending[..(at + mark.Length)];
        _pending = _pending[(at + mark.Length)..];
        return result;
    }

    public async Task<string> ReadCountAsync(int count)
    {
        while (_pending.Length < count)
        {
            var more = await ReceiveAsync();
            if (more.Length == 0) throw new EndOfStreamException($"end before {count} characters; got: {_pending}");
            _pending += more;
        }

        var result = _pending[..count];
        _pending = _pending[count..];
        return result;
    }

    /// <summary>Reads to a clean end; a reset throws <see cref="SocketException"/>.</summary>
    public async Task<string> ReadToEndAsync()
    {
        while (await ReceiveAsync() is { Length: > 0 } more) _pending += more;
        var all = _pending;
        _pending = "";
        return all;
    }

    /// <summary>Nothing more will be sent; reading goes on.</summary>
    public void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    public void Dispose() => _socket.Dispose();

    private static CancellationToken Deadline() => new CancellationTokenSource(TestFront.Patience).Token;
}
