using Xunit;

using System.Buffers;

namespace UGreen.Py.Front.Uwsgi.Tests;

/// <summary>Random packets, from seeds that are named when one fails: the codec throws nothing, agrees with <see cref="SecondReader"/>, and looks at nothing behind the block.</summary>
public sealed class CodecFuzzTests
{
    private const int Threads = 4;
    private const int PacketsEach = 300_000;

    private static readonly string[] s_names =
    [
        "REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_HOST", "HTTP_COOKIE", "HTTP_TRANSFER_ENCODING", "UWSGI_FILE", "UWSGI_SCHEME", "HTTPS",
        "SERVER_NAME", "X", "wsgi.input", "SCRIPT_NAME", "REMOTE_PORT", "HTTP_CONTENT_LENGTH",
    ];

    private static readonly string[] s_values =
        ["", "GET", "POST", "/", "/a b", "12", "007", "+1", "9223372036854775807", "9223372036854775808", "on", "chunked", "x\ty", "x\ny", "\0", "caf\xe9", "a=b; c=d", "\x7f"];

    [Fact]
    public void Mutated_packets()
    {
        var limits = new UwsgiLimits { BlockBytes = 700, Variables = 12, NameBytes = 40 };
        var kinds = new long[4];
        Parallel.For(0, Threads, new ParallelOptions { MaxDegreeOfParallelism = Threads }, thread => Run(thread, limits, kinds));

        // Each outcome must really occur, or the loop tested less than it says.
        Assert.True(kinds.All(count => count > PacketsEach / 100), string.Join(' ', kinds));
        Assert.Equal((long)Threads * PacketsEach, kinds.Sum());
    }

    [Fact]
    public void What_is_encoded_is_decoded()
    {
        var codec = new UwsgiCodec(new UwsgiLimits());
        var head = new UwsgiHead();
        var random = new Random(20260101);
        for (var round = 0; round < 50_000; round++)
        {
            var variables = Enumerable.Range(0, random.Next(20)).Select(i => ($"HTTP_{i}_{random.Next(2000)}", Printable(random))).Prepend(("REQUEST_METHOD", "GET")).ToArray();
            var packet = Packet.Of(variables);
            Assert.Equal(UwsgiEventKind.Request, codec.Read(Cut(packet, random), head, out _).Kind);
            Assert.Equal(variables, head.Variables.ToArray().Select(v => (v.Name, v.Value)));
        }
    }

    private static void Run(int seed, UwsgiLimits limits, long[] kinds)
    {
        var codec = new UwsgiCodec(limits);
        var head = new UwsgiHead();
        var random = new Random(seed);
        for (var round = 0; round < PacketsEach; round++)
        {
            var packet = Mutate(Make(random), random);
            var input = Cut(packet, random);
            UwsgiEvent answer;
            SequencePosition consumed;
            try
            {
                answer = codec.Read(input, head, out consumed);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed} round {round}: {Convert.ToHexString(packet)}", e);
            }

            Interlocked.Increment(ref kinds[(int)answer.Kind]);
            Compare(SecondReader.Read(packet, limits), answer, head, (int)input.Slice(0, consumed).Length, () => $"seed {seed} round {round}: {Convert.ToHexString(packet)}");
        }
    }

    private static void Compare(SecondReader.Answer? expected, UwsgiEvent answer, UwsgiHead head, int consumed, Func<string> which)
    {
        var same = answer.Kind.ToString() == (expected?.Kind ?? "NeedMore")
            && consumed == (expected?.Size ?? 0)
            && (answer.Refusal is not null) == (answer.Kind == UwsgiEventKind.Refused)
            && head.ContentLength == expected?.Length
            && head.Variables.Length == (expected?.Variables.Count ?? 0);
        for (var i = 0; same && i < head.Variables.Length; i++) same = (head.Variables[i].Name, head.Variables[i].Value) == expected!.Variables[i];
        if (!same) Assert.Fail($"{which()}: {answer} instead of {expected}");
    }

    private static byte[] Make(Random random)
    {
        var count = random.Next(1, 10);
        var variables = new (string, string)[count];
        for (var i = 0; i < count; i++) variables[i] = (s_names[random.Next(s_names.Length)], s_values[random.Next(s_values.Length)]);
        if (random.Next(4) != 0) variables[random.Next(count)] = ("REQUEST_METHOD", "GET");
        return Packet.Of(random.Next(20) == 0 ? (byte)100 : (byte)0, 0, Packet.Block(variables));
    }

    private static byte[] Mutate(byte[] packet, Random random)
    {
        for (var times = random.Next(4); times > 0; times--)
        {
            var at = random.Next(packet.Length);
            switch (random.Next(7))
            {
                case 0: packet[at] = (byte)random.Next(256); break;
                case 1: packet[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: packet = packet[..Math.Max(at, 1)]; break;
                case 3: packet = [.. packet, .. packet[at..]]; break;
                case 4: packet = [.. packet[..at], (byte)random.Next(256), .. packet[at..]]; break;
                case 5: packet = [.. packet[..at], .. packet[Math.Min(at + random.Next(5), packet.Length)..], 0]; break;
                // A header that fits what there is now, so that the mutation reaches the block.
                default:
                    if (packet.Length < 4) break;
                    packet[0] = 0;
                    (packet[1], packet[2]) = ((byte)(packet.Length - 4), (byte)((packet.Length - 4) >> 8));
                    break;
            }
        }

        return packet;
    }

    private static ReadOnlySequence<byte> Cut(byte[] bytes, Random random)
    {
        if (random.Next(2) == 0) return new ReadOnlySequence<byte>(bytes);
        var first = random.Next(bytes.Length + 1);
        return Pieces.Split(bytes, first, random.Next(first, bytes.Length + 1));
    }

    private static string Printable(Random random)
    {
        var text = new char[random.Next(random.Next(10) == 0 ? 900 : 30)];
        for (var i = 0; i < text.Length; i++) text[i] = (char)(random.Next(2) == 0 ? random.Next(0x20, 0x7f) : random.Next(0xa0, 0x100));
        return new string(text);
    }
}
