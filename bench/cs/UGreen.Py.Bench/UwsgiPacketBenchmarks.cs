using System.Buffers;
using BenchmarkDotNet.Attributes;
using UGreen.Py.Front.Uwsgi;

namespace UGreen.Py.Bench;

/// <summary>Reading the packet that nginx sends for a browser's request: the same one again, as from one client, and ones that differ in what does so between clients.</summary>
public class UwsgiPacketBenchmarks
{
    // A power of two.
    private const int Clients = 64;

    private readonly UwsgiCodec _codec = new(new UwsgiLimits());
    private readonly UwsgiHead _head = new();
    private readonly ReadOnlySequence<byte>[] _packets = [.. Enumerable.Range(0, Clients).Select(OfClient)];
    private int _next;

    [Benchmark(Description = "30 variables, as the last time")]
    public bool Same() => Read(_packets[0]);

    [Benchmark(Description = "30 variables, of 64 clients in turns")]
    public bool Different() => Read(_packets[_next++ & (Clients - 1)]);

    private bool Read(in ReadOnlySequence<byte> packet)
    {
        if (_codec.Read(packet, _head, out _).Kind != UwsgiEventKind.Request) throw new InvalidOperationException("the packet was not read");
        return true;
    }

    // The port and the session differ; both keep their length, so that the packet does.
    private static ReadOnlySequence<byte> OfClient(int number)
    {
        var packet = BrowserRequest.Packet();
        Replace(packet, "40123"u8, $"{50000 + number}");
        Replace(packet, "7f3d2a9c1b5e4f60a8d7"u8, $"{number:x20}");
        return new ReadOnlySequence<byte>(packet);
    }

    private static void Replace(Span<byte> packet, ReadOnlySpan<byte> old, string text)
    {
        var at = packet.IndexOf(old);
        for (var i = 0; i < text.Length; i++) packet[at + i] = (byte)text[i];
    }
}
