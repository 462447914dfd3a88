using Xunit;

using System.Buffers;
using CsCheck;

namespace UGreen.Py.Front.Uwsgi.Tests;

/// <summary>What holds of the codec for every packet, each as one sentence; CsCheck looks for a counterexample and shrinks it, and prints the seed that shows it again.</summary>
public sealed class CodecPropertyTests
{
    private const int Iterations = 20_000;

    private static readonly UwsgiLimits s_limits = new();

    private static readonly Gen<string> s_value = Gen.Char[' ', '~'].Array[0, 40].Select(c => new string(c));

    private static readonly Gen<string> s_longValue = Gen.Char[' ', '~'].Array[256, 3000].Select(c => new string(c));

    private static readonly Gen<(string Name, string Value)> s_header =
        Gen.Select(Gen.Char['A', 'Z'].Array[1, 20].Select(c => "HTTP_X_" + new string(c)), Gen.Frequency((9, s_value), (1, s_longValue)));

    /// <summary>A correct request without a length of its own.</summary>
    private static readonly Gen<(string Name, string Value)[]> s_request =
        Gen.Select(Gen.OneOf(Gen.Const("GET"), Gen.Const("POST"), Gen.Const("X-ODD")), s_header.Array[0, 20], (method, headers) => (method, headers))
            .Select(r => WithMethod(r.method, r.headers));

    /// <summary>Any bytes, and bytes that begin like a packet of the right size, so that the block itself is looked at.</summary>
    private static readonly Gen<byte[]> s_anything =
        Gen.OneOf(Gen.Byte.Array[0, 80], Gen.Byte[0, 40].Array[0, 80].Select(block => Packet.Of(0, 0, block)), Gen.Byte[0, 3].Array[0, 40].Select(block => Packet.Of(0, 0, block)));

    [Fact]
    public void What_is_encoded_is_decoded()
        => s_request.Sample(variables => Read(Packet.Of(variables)) is var (kind, _, read) && kind == UwsgiEventKind.Request && read.SequenceEqual(variables), iter: Iterations);

    [Fact]
    public void The_same_bytes_in_any_pieces_give_the_same_answer()
        => Gen.Select(Gen.OneOf(s_request.Select(v => Packet.Of(v)), s_anything), Gen.Int[0, 10_000].Array[0, 6]).Sample(
            (packet, cuts) =>
            {
                var at = cuts.Select(c => c % (packet.Length + 1)).Order().ToArray();
                return Same(Read(new ReadOnlySequence<byte>(packet)), Read(Pieces.Split(packet, at)));
            },
            iter: Iterations);

    [Fact]
    public void Of_a_packet_that_is_not_complete_nothing_is_taken()
        => Gen.Select(s_request, Gen.Int[0, 100_000]).Sample(
            (variables, cut) =>
            {
                var packet = Packet.Of(variables);
                return Read(packet[..(cut % packet.Length)]) is (UwsgiEventKind.NeedMore, 0, { Length: 0 });
            },
            iter: Iterations);

    [Fact]
    public void What_follows_a_packet_is_left_alone()
        => Gen.Select(s_request, Gen.Byte.Array[0, 200]).Sample(
            (variables, body) =>
            {
                var packet = Packet.Of(variables);
                return Same(Read(packet), Read([.. packet, .. body]));
            },
            iter: Iterations);

    [Fact]
    public void A_head_keeps_nothing_of_the_packet_before()
        => Gen.Select(Gen.OneOf(s_request.Select(v => Packet.Of(v)), s_anything), s_request).Sample(
            (before, variables) =>
            {
                var codec = new UwsgiCodec(s_limits);
                var head = new UwsgiHead();
                codec.Read(new ReadOnlySequence<byte>(before), head, out _);
                codec.Read(new ReadOnlySequence<byte>(Packet.Of(variables)), head, out _);
                return head.Variables.ToArray().Select(v => (v.Name, v.Value)).SequenceEqual(variables) && head.ContentLength is null;
            },
            iter: Iterations);

    [Fact]
    public void A_second_reader_says_the_same_of_any_bytes()
        => s_anything.Sample(
            bytes =>
            {
                var expected = SecondReader.Read(bytes, s_limits);
                var (kind, consumed, variables) = Read(bytes);
                return kind.ToString() == (expected?.Kind ?? "NeedMore") && consumed == (expected?.Size ?? 0) && variables.SequenceEqual(expected?.Variables ?? []);
            },
            iter: Iterations * 5);

    [Fact]
    public void Only_digits_are_a_length()
        => Gen.OneOf(Gen.String[Gen.Char["0123456789+- ,x"], 1, 25], Gen.Long[0, long.MaxValue].Select(n => n.ToString())).Sample(
            text =>
            {
                var head = new UwsgiHead();
                var answer = new UwsgiCodec(s_limits).Read(new ReadOnlySequence<byte>(Packet.Of(("REQUEST_METHOD", "POST"), ("CONTENT_LENGTH", text))), head, out _);
                var valid = text.All(char.IsAsciiDigit) && System.Numerics.BigInteger.Parse(text) <= long.MaxValue;
                return valid ? answer.Kind == UwsgiEventKind.Request && head.ContentLength == long.Parse(text) : answer.Kind == UwsgiEventKind.Refused;
            },
            iter: Iterations);

    private static (string Name, string Value)[] WithMethod(string method, (string Name, string Value)[] headers) => [("REQUEST_METHOD", method), .. headers];

    private static (UwsgiEventKind Kind, int Consumed, (string Name, string Value)[] Variables) Read(byte[] bytes) => Read(new ReadOnlySequence<byte>(bytes));

    private static (UwsgiEventKind Kind, int Consumed, (string Name, string Value)[] Variables) Read(in ReadOnlySequence<byte> input)
    {
        var head = new UwsgiHead();
        var answer = new UwsgiCodec(s_limits).Read(input, head, out var consumed);
        return (answer.Kind, (int)input.Slice(input.Start, consumed).Length, [.. head.Variables.ToArray().Select(v => (v.Name, v.Value))]);
    }

    private static bool Same((UwsgiEventKind Kind, int Consumed, (string Name, string Value)[] Variables) a, (UwsgiEventKind Kind, int Consumed, (string Name, string Value)[] Variables) b)
        => a.Kind == b.Kind && a.Consumed == b.Consumed && a.Variables.SequenceEqual(b.Variables);
}
