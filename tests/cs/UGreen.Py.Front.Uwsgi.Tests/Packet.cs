using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace UGreen.Py.Front.Uwsgi.Tests;

/// <summary>Makes packets, correct ones and others.</summary>
internal static class Packet
{
    public static readonly (string Name, string Value)[] Get =
    [
        ("QUERY_STRING", "a=1&b=%20"), ("REQUEST_METHOD", "GET"), ("CONTENT_TYPE", ""), ("CONTENT_LENGTH", ""), ("REQUEST_URI", "/x%20y?a=1&b=%20"), ("PATH_INFO", "/x y"),
        ("DOCUMENT_ROOT", "/var/www"), ("SERVER_PROTOCOL", "HTTP/1.1"), ("REQUEST_SCHEME", "http"), ("REMOTE_ADDR", "192.0.2.7"), ("REMOTE_PORT", "40000"),
        ("SERVER_PORT", "80"), ("SERVER_NAME", "example.org"), ("HTTP_HOST", "example.org"), ("HTTP_COOKIE", "a=b"),
    ];

    public static byte[] Of(params (string Name, string Value)[] variables) => Of(0, 0, Block(variables));

    public static byte[] Of(byte modifier1, byte modifier2, ReadOnlySpan<byte> block)
    {
        var packet = new byte[4 + block.Length];
        packet[0] = modifier1;
        BinaryPrimitives.WriteUInt16LittleEndian(packet.AsSpan(1), checked((ushort)block.Length));
        packet[3] = modifier2;
        block.CopyTo(packet.AsSpan(4));
        return packet;
    }

    public static byte[] Block(params (string Name, string Value)[] variables)
    {
        var block = new ArrayBufferWriter<byte>();
        foreach (var (name, value) in variables)
        {
            Put(block, name);
            Put(block, value);
        }

        return block.WrittenSpan.ToArray();
    }

    /// <summary>The usual variables of a request, some replaced or added.</summary>
    public static byte[] Request(string method, params (string Name, string Value)[] changes)
        => Of([.. Get.Where(v => v.Name != "REQUEST_METHOD" && !changes.Any(c => c.Name == v.Name)), ("REQUEST_METHOD", method), .. changes]);

    private static void Put(ArrayBufferWriter<byte> block, string text)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block.GetSpan(2), checked((ushort)text.Length));
        block.Advance(2);
        Encoding.Latin1.GetBytes(text, block);
    }
}
