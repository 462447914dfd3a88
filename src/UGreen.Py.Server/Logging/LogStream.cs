using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using UGreen.Py.Native;

namespace UGreen.Py.Server.Logging;

/// <summary>
/// Writes whole lines to a descriptor and never throws: a full disk must end neither requests nor the log. Lines that cannot be written are counted, and the count is told
/// as soon as one can be. Callers take turns.
/// </summary>
internal sealed class LogStream : Stream
{
    private readonly int _fd;
    private readonly Func<string, string> _entry;
    private long _lost;
    private int _errno;
    private bool _isTorn;

    /// <param name="fd">Where to write; not closed here.</param>
    /// <param name="entry">Makes a line, with its line break, of a message of our own.</param>
    public LogStream(int fd, Func<string, string> entry)
    {
        _fd = fd;
        _entry = entry;
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_lost > 0 && !TryTellLoss())
        {
            _lost += buffer.Count((byte)'\n');
            return;
        }

        var errno = OutputDescriptor.Write(_fd, buffer, out var written);
        if (errno == 0) return;

        _errno = errno;
        _lost += buffer[written..].Count((byte)'\n');
        // Half a line is on the disk, and what comes next must not be taken for its other half.
        if (written > 0) _isTorn = buffer[written - 1] != (byte)'\n';
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private bool TryTellLoss()
    {
        var note = _entry(string.Create(CultureInfo.InvariantCulture, $"({_lost} log lines lost: {Marshal.GetPInvokeErrorMessage(_errno)})"));
        var bytes = Encoding.UTF8.GetBytes(_isTorn ? "\n" + note : note);
        if (OutputDescriptor.Write(_fd, bytes, out var written) != 0)
        {
            if (written > 0) _isTorn = bytes[written - 1] != (byte)'\n';
            return false;
        }

        _lost = 0;
        _isTorn = false;
        return true;
    }
}
