using System.Buffers;
using UGreen.Py.Native;

namespace UGreen.Py.Front.Transport;

/// <summary>
/// Of a connection with one request after the other (HTTP/1, the uwsgi protocol): whether the client waits for an answer, and, once it has ended its sending half, whether it is
/// still there.
/// <para>
/// <b>Theory</b> (docs/adr/0038). A client that has said all it has to say, and one that is gone, send the same: a FIN. They differ in what they do with the next byte that
/// reaches them: the first acknowledges it, the other one's kernel resets the connection. (The kernel of a unix socket knows by itself.) So the next byte tells. Nearly always
/// it can be sent at once: nothing of the answer has been sent yet, and every answer begins with the H of <c>HTTP/1.1</c>, whatever it will be. So the H is sent ahead, and left
/// out when the rest comes. In the middle of an answer nothing can be sent but what the application gives; if it gives nothing for a while, the client is taken for gone,
/// since a client that ends its sending half does so behind its request.
/// </para>
/// <para>Threads: <see cref="Set"/> is for whoever owns the exchange, all else for the I/O thread.</para>
/// </summary>
internal sealed class DueAnswer
{
    /// <summary>How long an answer that has begun may stand still after the client's FIN before the client counts as gone. Long enough for the next event of a stream that is
    /// still watched, and for an acknowledgement from the other end of the world.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    // A client that ends its half, is proven to be there and then goes sends nothing more that would be noticed. Its kernel forgets the connection after a minute (Linux), and
    // answers the next question with a reset.
    private const int QuestionSeconds = 20;
    private const int Questions = 4;

    private volatile int _due;
    private int _count;
    private int _begun;
    private bool _isAhead;
    private long _sent;
    private long _unacknowledged;

    /// <summary>The protocol has one request after the other: true from the first one on.</summary>
    public bool IsUsed => Volatile.Read(ref _count) > 0;

    /// <summary>The client waits for an answer, or for the rest of one.</summary>
    public bool IsDue => _due != 0;

    /// <summary>An answer is due from now on, which will begin with an H; or none any more.</summary>
    public void Set(bool isDue) => _due = isDue ? ++_count : 0;

    /// <summary>Bytes are about to be sent.</summary>
    /// <returns>What of them has not been sent ahead.</returns>
    public ReadOnlySequence<byte> Begin(in ReadOnlySequence<byte> bytes)
    {
        _begun = _due;
        if (!_isAhead) return bytes;
        _isAhead = false;
        return bytes.Slice(1);
    }

    /// <summary>The kernel took so many.</summary>
    public void Sent(long bytes) => _sent += bytes;

    /// <summary>The client of a due answer has ended its sending half.</summary>
    /// <param name="fd">A TCP socket.</param>
    /// <param name="isSilent">Everything that was to be sent was handed to the kernel.</param>
    /// <returns>True: the next byte tells, and was sent. False: ask <see cref="IsGone"/> after <see cref="Grace"/>.</returns>
    public bool TryProve(int fd, bool isSilent)
    {
        StreamSocket.SetKeepAlive(fd, QuestionSeconds, Questions);
        _unacknowledged = StreamSocket.Unacknowledged(fd);
        _sent = 0;
        if (!isSilent || _begun == _due || StreamSocket.Send(fd, "H"u8) != 1) return false;
        _isAhead = true;
        return true;
    }

    /// <returns>Null: not known yet, for something is on its way.</returns>
    public bool? IsGone(int fd)
    {
        var unacknowledged = StreamSocket.Unacknowledged(fd);
        if (_unacknowledged + _sent > unacknowledged) return false;
        return unacknowledged > 0 ? null : true;
    }
}
