using System.Text;
using CsCheck;
using UGreen.Py.Server.Master;
using Xunit;

namespace UGreen.Py.Server.Tests.Master;

/// <summary>What master and worker say to each other, as bytes; and any other bytes, which are an error and nothing worse.</summary>
public sealed class MessageTests
{
    private const int Iterations = 20_000;

    private static readonly Gen<string> s_text = Gen.OneOf(Gen.Char[' ', '~'].Array[0, 60].Select(c => new string(c)), Gen.Char.Array[0, 60].Select(c => new string(c)), Gen.Const("a\nb\tc"), Gen.Const("Grüße \U0001F600"));

    private static readonly Gen<WorkerMessage> s_message = Gen.OneOf<WorkerMessage>(
        s_text.Select(t => (WorkerMessage)new WorkerMessage.Ready(t)),
        s_text.Select(t => (WorkerMessage)new WorkerMessage.Failed(t)),
        Gen.Const((WorkerMessage)new WorkerMessage.Leaving()),
        Gen.Const((WorkerMessage)new WorkerMessage.RequestsServed()),
        s_text.Select(t => (WorkerMessage)new WorkerMessage.Reload(t)),
        s_text.Select(t => (WorkerMessage)new WorkerMessage.SourceChanged(t)),
        s_text.Select(t => (WorkerMessage)new WorkerMessage.Stop(t)),
        Gen.Select(Gen.Byte, Gen.UShort, (n, w) => (WorkerMessage)new WorkerMessage.Signal(n, w)),
        s_text.Select(t => (WorkerMessage)new WorkerMessage.Overflowed(t)));

    /// <summary>Any bytes; bytes that begin like a message; and messages of which some bytes were changed.</summary>
    private static readonly Gen<byte[]> s_anything = Gen.OneOf(
        Gen.Byte.Array[0, 80],
        Gen.Byte[0, 9].Array[0, 8],
        Gen.Byte.Array[ControlChannel.MostBytes - 2, ControlChannel.MostBytes + 2],
        Gen.Select(s_message, Gen.Int[0, 1000], Gen.Byte, (message, at, value) => Changed(message.Write(), at, value)),
        Gen.Select(s_message, s_message, (first, second) => (byte[])[.. first.Write(), .. second.Write()]));

    [Fact]
    public void What_is_written_is_read()
        => s_message.Sample(message => WorkerMessage.Read(message.Write(), out var error) is { } read && error is null && read == Shown(message), iter: Iterations);

    [Fact]
    public void Any_bytes_are_a_message_or_an_error()
        => s_anything.Sample(
            bytes =>
            {
                var message = WorkerMessage.Read(bytes, out var error);
                _ = MasterMessage.Read(bytes);
                // A second way to write the same would be a way around a rule.
                return message is null ? error is { Length: > 0 } : error is null && (message is WorkerMessage.Overflowed || message.Write().AsSpan().SequenceEqual(bytes));
            },
            iter: Iterations);

    [Fact]
    public void Any_messages_in_any_order_are_allowed_or_objected_to()
        => s_message.Array[0, 30].Sample(
            messages =>
            {
                var voice = new WorkerVoice(4);
                var allowed = messages.Where(m => voice.Objection(m) is null).ToList();
                return allowed.Count(m => m is WorkerMessage.Ready) <= 1 && allowed.Count(m => m is WorkerMessage.Failed) <= 1 && allowed.Count(m => m is WorkerMessage.Overflowed) <= 1
                    && allowed.OfType<WorkerMessage.Signal>().All(s => s.Worker <= 4) && messages.Where(m => m is WorkerMessage.Leaving or WorkerMessage.Stop or WorkerMessage.Reload).All(allowed.Contains);
            },
            iter: Iterations);

    [Theory]
    [InlineData("", "without a byte")]
    [InlineData("signal a b\n", "of a kind that there is not (115)")]
    [InlineData("\0", "of a kind that there is not (0)")]
    [InlineData("\u0003 ", "of kind 3 with 2 bytes")]
    [InlineData("\u0008", "of kind 8 with 1 bytes")]
    [InlineData("\u000899999", "of kind 8 with 6 bytes")]
    [InlineData("\u0005a\0b", "of which there is a control character (U+0000) in its text")]
    [InlineData("\u0005\u001b[2J", "of which there is a control character (U+001B) in its text")]
    [InlineData("ugreen-pz: no", "of a kind that there is not (117)")]
    public void What_is_wrong_is_told(string bytes, string error)
    {
        Assert.Null(WorkerMessage.Read(Encoding.Latin1.GetBytes(bytes), out var told));
        Assert.Equal(error, told);
    }

    [Fact]
    public void Bytes_that_are_no_UTF8_or_too_many_are_told()
    {
        Assert.Null(WorkerMessage.Read([5, 0xC3], out var error));
        Assert.Equal("of which its text is not UTF-8", error);
        Assert.Null(WorkerMessage.Read(Encoding.ASCII.GetBytes("\u0005" + new string('x', ControlChannel.MostBytes)), out error));
        Assert.Equal("of more than 4096 bytes", error);
    }

    [Fact]
    public void A_text_is_cut_between_two_characters_and_cleaned()
    {
        var bytes = new WorkerMessage.Failed(new string('ü', 5000)).Write();
        Assert.InRange(bytes.Length, ControlChannel.MostBytes - 2, ControlChannel.MostBytes);
        Assert.Matches("^ü+…$", Assert.IsType<WorkerMessage.Failed>(WorkerMessage.Read(bytes, out _)).Why);
        Assert.Equal("a\uFFFDb\uFFFDc\n", Assert.IsType<WorkerMessage.Failed>(WorkerMessage.Read(new WorkerMessage.Failed("a\0b\ud800c\n").Write(), out _)).Why);
    }

    /// <summary>The machine code that reports an overflow writes a line, with its line break.</summary>
    [Fact]
    public void The_line_about_an_overflow_is_a_message()
        => Assert.Equal(
            new WorkerMessage.Overflowed("the green stack of core 00003 overflowed (16 pages = 64 KiB)."),
            WorkerMessage.Read("ugreen-py: the green stack of core 00003 overflowed (16 pages = 64 KiB).\n"u8, out _));

    [Fact]
    public void A_master_is_understood()
    {
        foreach (var message in new MasterMessage[] { new MasterMessage.Drain("two words"), new MasterMessage.Drain(""), new MasterMessage.Signal(0), new MasterMessage.Signal(255) })
            Assert.Equal(message, MasterMessage.Read(message.Write()));
        Assert.Null(MasterMessage.Read([]));
        Assert.Null(MasterMessage.Read(new WorkerMessage.Stop("x").Write()));
        Assert.Null(MasterMessage.Read([66, 1, 2]));
        Assert.Null(MasterMessage.Read([65, 0]));
    }

    [Fact]
    public void A_worker_says_what_can_be_said_once_once()
    {
        Assert.Null(new WorkerVoice(2).Objection(new WorkerMessage.Signal(1, 2)));
        Assert.Equal("with a signal for worker 3 of 2", new WorkerVoice(2).Objection(new WorkerMessage.Signal(1, 3)));
        var voice = new WorkerVoice(2);
        Assert.Null(voice.Objection(new WorkerMessage.Reload("at import")));
        Assert.Null(voice.Objection(new WorkerMessage.Ready("3.11")));
        Assert.Equal("that it serves, for the second time", voice.Objection(new WorkerMessage.Ready("3.11")));
        Assert.Null(voice.Objection(new WorkerMessage.Failed("broken")));
        Assert.Equal("that it cannot start, for the second time", voice.Objection(new WorkerMessage.Failed("broken")));
        var broken = new WorkerVoice(2);
        Assert.Null(broken.Objection(new WorkerMessage.Failed("broken")));
        Assert.Equal("that it serves, after it had said that it cannot start", broken.Objection(new WorkerMessage.Ready("3.11")));
    }

    private static byte[] Changed(byte[] bytes, int at, byte value)
    {
        bytes[at % bytes.Length] = value;
        return bytes;
    }

    /// <summary>As it is after its texts were cleaned.</summary>
    private static WorkerMessage Shown(WorkerMessage message)
    {
        return message switch
        {
            WorkerMessage.Ready ready => new WorkerMessage.Ready(Clean(ready.Python)),
            WorkerMessage.Failed failed => new WorkerMessage.Failed(Clean(failed.Why)),
            WorkerMessage.Reload reload => new WorkerMessage.Reload(Clean(reload.Reason)),
            WorkerMessage.SourceChanged changed => new WorkerMessage.SourceChanged(Clean(changed.File)),
            WorkerMessage.Stop stop => new WorkerMessage.Stop(Clean(stop.Reason)),
            WorkerMessage.Overflowed overflowed => new WorkerMessage.Overflowed(Clean(overflowed.Line).TrimEnd('\n')),
            _ => message,
        };
        static string Clean(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(string.Concat(text.Select(c => char.IsControl(c) && c is not ('\t' or '\n') ? '\uFFFD' : c))));
    }
}
