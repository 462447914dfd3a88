namespace UGreen.Py.Server.Options.Config;

/// <summary>Lines of byte positions, asked for in rising order; the reader itself tells a line only when it fails.</summary>
internal sealed class JsonLines(byte[] text)
{
    private int _position;
    private int _line = 1;

    public int Of(long position)
    {
        _line += text.AsSpan(_position, (int)position - _position).Count((byte)'\n');
        _position = (int)position;
        return _line;
    }
}
