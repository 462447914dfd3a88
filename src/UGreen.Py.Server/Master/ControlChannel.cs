using System.Net.Sockets;
using System.Text;

namespace UGreen.Py.Server.Master;

/// <summary>
/// What a master and one worker say to each other: lines of words, each word percent-encoded, over a Unix socket. The end of the stream is a message too: the other process is gone.
/// <para>Sending never throws: that the other one is gone is told by <see cref="Receive"/> anyway.</para>
/// </summary>
internal sealed class ControlChannel : IDisposable
{
    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private readonly StreamReader _reader;
    private readonly Lock _sending = new();

    /// <param name="fd">One end of a socket pair; taken over.</param>
    public ControlChannel(int fd)
    {
        _socket = new Socket(new SafeSocketHandle(fd, ownsHandle: true));
        _stream = new NetworkStream(_socket);
        _reader = new StreamReader(_stream, new UTF8Encoding(false));
    }

    /// <summary>Any thread.</summary>
    /// <returns>False: the other process is gone.</returns>
    public bool Send(params ReadOnlySpan<string> words)
    {
        var line = new StringBuilder();
        // By the place: the first word may be empty.
        for (var i = 0; i < words.Length; i++) line.Append(i == 0 ? "" : " ").Append(Uri.EscapeDataString(words[i]));
        var bytes = Encoding.UTF8.GetBytes(line.Append('\n').ToString());
        lock (_sending)
        {
            try
            {
                _stream.Write(bytes);
                return true;
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                return false;
            }
        }
    }

    /// <summary>The next message; waits for it. Null: the other process is gone. One thread.</summary>
    public string[]? Receive()
    {
        try
        {
            return _reader.ReadLine()?.Split(' ').Select(Uri.UnescapeDataString).ToArray();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        _reader.Dispose();
        _stream.Dispose();
        _socket.Dispose();
    }
}
