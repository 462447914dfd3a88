using Xunit;

using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace UGreen.Py.Front.Uwsgi.Tests;

public sealed class CodecTests
{
    private static readonly UwsgiCodec s_codec = new(new UwsgiLimits());

    [Fact]
    public void A_packet_is_read_wherever_it_is_split()
    {
        var packet = Packet.Of(Packet.Get);
        var input = packet.Concat("body"u8.ToArray()).ToArray();
        for (var i = 0; i <= input.Length; i++)
        {
            for (var j = i; j <= Math.Min(input.Length, i + 3); j++) AssertGet(Pieces.Split(input, i, j), packet.Length);
        }

        AssertGet(new ReadOnlySequence<byte>(packet), packet.Length);
    }

    [Fact]
    public void Less_than_the_packet_is_not_enough_and_nothing_is_consumed()
    {
        var packet = Packet.Of(Packet.Get);
        for (var length = 0; length < packet.Length; length++)
        {
            var input = new ReadOnlySequence<byte>(packet, 0, length);
            Assert.Equal(UwsgiEventKind.NeedMore, s_codec.Read(input, new UwsgiHead(), out var consumed).Kind);
            Assert.Equal(input.Start, consumed);
        }
    }

    [Fact]
    public void The_head_of_one_packet_does_not_leak_into_the_next()
    {
        var head = new UwsgiHead();
        Read(Packet.Request("POST", ("CONTENT_LENGTH", "5"), ("UWSGI_FILE", "x")), head);
        Read(Packet.Of(("REQUEST_METHOD", "GET")), head);

        Assert.Equal("REQUEST_METHOD=GET", Text(head));
        Assert.Null(head.ContentLength);
    }

    [Fact]
    public void A_packet_like_the_last_one_costs_next_to_no_memory()
    {
        var head = new UwsgiHead();
        var input = new ReadOnlySequence<byte>(Packet.Of(Packet.Get));
        s_codec.Read(input, head, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) s_codec.Read(input, head, out _);
        // Two values may share a place of the table; then each is made anew.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 1000, 0, 300);
    }

    [Fact]
    public void Repeated_names_stay_in_wire_order_so_that_the_last_wins()
    {
        var head = new UwsgiHead();
        Read(Packet.Of(("REQUEST_METHOD", "GET"), ("X", "1"), ("X", "2")), head);
        Assert.Equal("REQUEST_METHOD=GET X=1 X=2", Text(head));
    }

    [Theory]
    [InlineData("UWSGI_FILE")]
    [InlineData("UWSGI_MODULE")]
    [InlineData("UWSGI_SCRIPT")]
    [InlineData("UWSGI_CALLABLE")]
    [InlineData("UWSGI_PYHOME")]
    [InlineData("UWSGI_HOME")]
    [InlineData("UWSGI_CHDIR")]
    [InlineData("UWSGI_TOUCH_RELOAD")]
    [InlineData("UWSGI_SETENV")]
    [InlineData("UWSGI_POSTFILE")]
    [InlineData("UWSGI_CACHE_GET")]
    [InlineData("UWSGI_APPID")]
    [InlineData("wsgi.input")]
    [InlineData("uwsgi.core")]
    [InlineData("x-wsgiorg.fdevent.readable")]
    public void What_could_take_the_server_over_is_dropped(string name)
    {
        var head = new UwsgiHead();
        Read(Packet.Of(("REQUEST_METHOD", "GET"), (name, "/tmp/evil.py"), ("UWSGI_SCHEME", "https")), head);
        Assert.Equal("REQUEST_METHOD=GET UWSGI_SCHEME=https", Text(head));
    }

    [Theory]
    [InlineData("0", 0L)]
    [InlineData("007", 7L)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("", null)]
    public void A_length_is_digits(string text, long? length)
    {
        var head = new UwsgiHead();
        Assert.Equal(UwsgiEventKind.Request, Read(Packet.Request("POST", ("CONTENT_LENGTH", text)), head).Kind);
        Assert.Equal(length, head.ContentLength);
    }

    [Theory]
    [InlineData("+5")]
    [InlineData("-5")]
    [InlineData("-0")]
    [InlineData(" 5")]
    [InlineData("5 ")]
    [InlineData("5,5")]
    [InlineData("0x5")]
    [InlineData("5.0")]
    [InlineData("1e3")]
    [InlineData("9223372036854775808")]
    [InlineData("99999999999999999999999")]
    [InlineData("\u00b2")]
    public void Anything_else_is_400(string length) => AssertRefused(Packet.Request("POST", ("CONTENT_LENGTH", length)), 400, "CONTENT_LENGTH");

    [Fact]
    public void Two_lengths_are_refused_if_they_differ()
    {
        AssertRefused(Packet.Of(("REQUEST_METHOD", "POST"), ("CONTENT_LENGTH", "5"), ("CONTENT_LENGTH", "6")), 400, "two different");
        Assert.Equal(UwsgiEventKind.Request, Read(Packet.Of(("REQUEST_METHOD", "POST"), ("CONTENT_LENGTH", "5"), ("CONTENT_LENGTH", "5")), new UwsgiHead()).Kind);
    }

    [Fact]
    public void A_coding_that_the_front_took_off_is_not_shown_and_without_a_length_refused()
    {
        var head = new UwsgiHead();
        Read(Packet.Of(("REQUEST_METHOD", "POST"), ("HTTP_TRANSFER_ENCODING", "chunked"), ("CONTENT_LENGTH", "5")), head);
        Assert.Equal("REQUEST_METHOD=POST CONTENT_LENGTH=5", Text(head));
        AssertRefused(Packet.Of(("REQUEST_METHOD", "POST"), ("HTTP_TRANSFER_ENCODING", "chunked")), 411, "no end");
    }

    [Fact]
    public void Headers_that_have_a_variable_of_their_own_are_not_shown_twice()
    {
        var head = new UwsgiHead();
        Read(Packet.Of(("REQUEST_METHOD", "POST"), ("CONTENT_LENGTH", "5"), ("HTTP_CONTENT_LENGTH", "6"), ("HTTP_CONTENT_TYPE", "a/b")), head);
        Assert.Equal("REQUEST_METHOD=POST CONTENT_LENGTH=5", Text(head));
        Assert.Equal(5, head.ContentLength);
    }

    [Theory]
    [InlineData("HTTP_X", "a\nb", true)]
    [InlineData("HTTP_X", "a\rb", true)]
    [InlineData("HTTP_X", "a\0b", true)]
    [InlineData("HTTP_X", "a\x7f", true)]
    [InlineData("HTTP_X", "a\tb\xe9", false)]
    [InlineData("REQUEST_URI", "/\n", true)]
    [InlineData("QUERY_STRING", "\x01", true)]
    [InlineData("PATH_INFO", "/a\0b", true)]
    [InlineData("PATH_INFO", "/a\nb", false)]
    [InlineData("SCRIPT_NAME", "/\t", false)]
    [InlineData("SSL_CLIENT_CERT", "-----BEGIN\n\tx", false)]
    [InlineData("SSL_CLIENT_CERT", "-----BEGIN\0", true)]
    public void Control_characters_are_refused_where_HTTP_has_none(string name, string value, bool refused)
    {
        var packet = Packet.Request("GET", (name, value));
        if (refused) AssertRefused(packet, 400, name);
        else Assert.Equal(UwsgiEventKind.Request, Read(packet, new UwsgiHead()).Kind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GE T")]
    [InlineData("GET\xe9")]
    [InlineData("G(T")]
    public void A_method_is_a_token(string method) => AssertRefused(Packet.Request(method), 400, "REQUEST_METHOD");

    [Fact]
    public void Without_a_method_nothing_can_be_served()
    {
        AssertRefused(Packet.Of(), 400, "no REQUEST_METHOD");
        AssertRefused(Packet.Of(("HTTP_HOST", "x")), 400, "uwsgi_params");
    }

    [Theory]
    [InlineData("A B")]
    [InlineData("A\nB")]
    [InlineData("A\0")]
    [InlineData("\xe9")]
    [InlineData("\x7f")]
    public void Names_are_visible_ASCII(string name) => AssertRefused(Packet.Of(("REQUEST_METHOD", "GET"), (name, "x")), 400, "variable name");

    [Fact]
    public void Broken_blocks_are_refused()
    {
        AssertRefused(Packet.Of(("REQUEST_METHOD", "GET"), ("", "x")), 400, "without a name");
        AssertRefused(Packet.Of(0, 0, [1]), 400, "name runs past");
        AssertRefused(Packet.Of(0, 0, [1, 0]), 400, "name runs past");
        AssertRefused(Packet.Of(0, 0, [0xff, 0xff, (byte)'A']), 400, "name runs past");
        AssertRefused(Packet.Of(0, 0, [1, 0, (byte)'A']), 400, "value runs past");
        AssertRefused(Packet.Of(0, 0, [1, 0, (byte)'A', 1]), 400, "value runs past");
        AssertRefused(Packet.Of(0, 0, [1, 0, (byte)'A', 1, 0]), 400, "value runs past");
    }

    [Fact]
    public void A_length_that_only_the_body_behind_the_block_would_satisfy_is_refused()
    {
        var packet = Packet.Of(0, 0, [1, 0, (byte)'A', 2, 0, (byte)'x']);
        AssertRefused([.. packet, .. "yyyyyyyy"u8], 400, "value runs past");
    }

    [Fact]
    public void Limits_are_exact()
    {
        var codec = new UwsgiCodec(new UwsgiLimits { BlockBytes = 40, Variables = 2, NameBytes = 20 });
        Assert.Equal(UwsgiEventKind.Request, Read(Packet.Of(("REQUEST_METHOD", "GET"), ("A", new string('x', 14))), new UwsgiHead(), codec).Kind);
        AssertRefused(Packet.Of(("REQUEST_METHOD", "GET"), ("A", new string('x', 19))), 431, "more than --buffer-size 40", codec);
        AssertRefused(Packet.Of(("REQUEST_METHOD", "G"), ("A", ""), ("B", "")), 431, "more than 2 variables", codec);
        Assert.Equal(UwsgiEventKind.Refused, Read(Packet.Of(("REQUEST_METHOD", "GET"), (new string('A', 21), "")), new UwsgiHead(), codec).Kind);
        AssertRefused(Packet.Of((new string('A', 21), "")), 431, "more than 20 bytes", codec);
    }

    [Fact]
    public void A_block_that_is_too_large_is_refused_before_it_has_come()
    {
        var codec = new UwsgiCodec(new UwsgiLimits { BlockBytes = 4096 });
        AssertRefused([0, 0x01, 0x10, 0], 431, "4097", codec);
    }

    [Fact]
    public void The_largest_block_of_the_protocol_is_read()
    {
        var head = new UwsgiHead();
        var rest = UwsgiLimits.MaxBlockBytes - Packet.Block(("REQUEST_METHOD", "GET"), ("HTTP_X", "")).Length;
        Assert.Equal(UwsgiEventKind.Request, Read(Packet.Of(("REQUEST_METHOD", "GET"), ("HTTP_X", new string('x', rest))), head).Kind);
        Assert.Equal(rest, head.Variables[1].Value.Length);
    }

    [Fact]
    public void A_ping_is_answered_and_other_modifiers_close()
    {
        Assert.Equal(UwsgiEventKind.Ping, Read([100, 0, 0, 0], new UwsgiHead()).Kind);
        Assert.Equal(UwsgiEventKind.Ping, Read(Packet.Of(100, 0, [1, 2, 3]), new UwsgiHead()).Kind);
        Assert.Equal([0x64, 0, 0, 1], UwsgiCodec.Pong.ToArray());
        AssertRefused([100, 0, 0, 1], 0, "modifier2");
        AssertRefused("GET / HTTP/1.1\r\n"u8.ToArray(), 0, "this may be HTTP");
        AssertRefused([0x16, 3, 1], 0, "this may be TLS");
        for (var modifier = 1; modifier < 256; modifier++)
        {
            if (modifier != 100) AssertRefused([(byte)modifier], 0, string.Create(CultureInfo.InvariantCulture, $"modifier1 {modifier} is not served"));
        }
    }

    [Fact]
    public void Packets_of_a_second_implementation_are_read()
    {
        const string script = """
            import struct, sys
            pairs = [(b"REQUEST_METHOD", b"PUT"), (b"PATH_INFO", "/caf\u00e9".encode()), (b"EMPTY", b""), (b"CONTENT_LENGTH", b"3"), (b"HTTP_LONG", b"y" * 3000)]
            block = b"".join(struct.pack("<H", len(k)) + k + struct.pack("<H", len(v)) + v for k, v in pairs)
            sys.stdout.buffer.write(struct.pack("<BHB", 0, len(block), 0) + block + b"abc")
            """;
        var start = new ProcessStartInfo("/usr/bin/python3") { RedirectStandardOutput = true, ArgumentList = { "-c", script } };
        using var python = Process.Start(start)!;
        var bytes = new MemoryStream();
        python.StandardOutput.BaseStream.CopyTo(bytes);
        python.WaitForExit();

        var head = new UwsgiHead();
        var input = new ReadOnlySequence<byte>(bytes.ToArray());
        Assert.Equal(UwsgiEventKind.Request, s_codec.Read(input, head, out var consumed).Kind);
        Assert.Equal("abc", Encoding.ASCII.GetString(input.Slice(consumed)));
        Assert.Equal("REQUEST_METHOD=PUT PATH_INFO=/caf\u00c3\u00a9 EMPTY= CONTENT_LENGTH=3 HTTP_LONG=" + new string('y', 3000), Text(head));
        Assert.Equal(3, head.ContentLength);
    }

    private static void AssertGet(ReadOnlySequence<byte> input, int packetLength)
    {
        var head = new UwsgiHead();
        Assert.Equal(UwsgiEventKind.Request, s_codec.Read(input, head, out var consumed).Kind);
        Assert.Equal(packetLength, input.Slice(0, consumed).Length);
        Assert.Equal(Packet.Get, head.Variables.ToArray().Select(v => (v.Name, v.Value)));
    }

    private static string Text(UwsgiHead head) => string.Join(' ', head.Variables.ToArray().Select(v => v.Name + "=" + v.Value));

    private static UwsgiEvent Read(byte[] packet, UwsgiHead head, UwsgiCodec? codec = null) => (codec ?? s_codec).Read(new ReadOnlySequence<byte>(packet), head, out _);

    private static void AssertRefused(byte[] packet, int status, string reason, UwsgiCodec? codec = null)
    {
        var head = new UwsgiHead();
        var input = new ReadOnlySequence<byte>(packet);
        var answer = (codec ?? s_codec).Read(input, head, out var consumed);
        Assert.Equal(UwsgiEventKind.Refused, answer.Kind);
        Assert.Equal(status, answer.Refusal!.Status);
        Assert.Contains(reason, answer.Refusal.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(answer.Refusal.Reason, c => c is < ' ' or > '~');
        Assert.Equal(input.Start, consumed);
        Assert.Equal(0, head.Variables.Length);
    }
}
