using System.Net.Sockets;
using System.Text;

namespace UGreen.Py.Front.Uwsgi.Tests;

/// <summary>The other end of a connection, byte by byte.</summary>
internal sealed class Client(Socket socket) : IDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly StringBuilder _seen = new();

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, Deadline())..];
    }

    /// <summary>What one read of the socket gives; empty at a clean end.</summary>
    public async Task<string> ReceiveAsync()
    {
        var count = await socket.ReceiveAsync(_buffer, SocketFlags.None, Deadline());
        return Encoding.Latin1.GetString(_buffer, 0, count);
    }

    /// <summary>Reads on until everything so far ends with <paramref name="mark"/>; returns all of it.</summary>
    public async Task<string> ReadUntilAsync(string mark)
    {
        while (!_seen.ToString().EndsWith(mark, StringComparison.Ordinal))
        {
            var more = await ReceiveAsync();
            if (more.Length == 0) throw new EndOfStreamException($"end before '{mark}'; got: {_seen}");
            _seen.Append(more);
        }

        return _seen.ToString();
    }

    /// <summary>Reads to a clean end, everything so far included; a reset throws <see cref="SocketException"/>.</summary>
    public async Task<string> ReadToEndAsync()
    {
        while (await ReceiveAsync() is { Length: > 0 } more) _seen.Append(more);
        return _seen.ToString();
    }

    public async Task<string> AskAsync(byte[] packet)
    {
        await SendAsync(packet);
        return await ReadToEndAsync();
    }

    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    public void Dispose() => socket.Dispose();

    private static CancellationToken Deadline() => new CancellationTokenSource(TestFront.Patience).Token;
}
