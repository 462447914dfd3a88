using UGreen.Py.Native;
using UGreen.Py.Server.Master;
using Xunit;

namespace UGreen.Py.Server.Tests.Master;

public sealed class ControlChannelTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ControlChannel _mine;
    private readonly ControlChannel _theirs;
    private readonly byte[] _buffer = new byte[ControlChannel.MostBytes + 1];

    public ControlChannelTests()
    {
        var (mine, theirs) = SocketPair.Create();
        (_mine, _theirs) = (new ControlChannel(mine), new ControlChannel(theirs));
    }

    [Fact]
    public void Messages_arrive_one_by_one_and_then_the_end()
    {
        for (byte i = 1; i <= 100; i++) Assert.True(_mine.Send([i, 2, 3]));
        Assert.True(_theirs.Send([7]));
        Assert.Equal([7], Received(_mine));
        _mine.Dispose();

        for (byte i = 1; i <= 100; i++) Assert.Equal([i, 2, 3], Received(_theirs));
        Assert.Empty(Received(_theirs));
        Assert.Empty(Received(_theirs));
        Assert.False(_theirs.Send([1]));
    }

    [Fact]
    public void What_was_said_last_is_heard_also_of_one_that_has_not_heard_all()
    {
        _mine.Send([1]);
        _theirs.Send([2]);
        _theirs.Dispose();

        Assert.Equal([2], Received(_mine));
        Assert.Empty(Received(_mine));
    }

    [Fact]
    public void One_that_is_too_long_is_seen_and_disturbs_no_other()
    {
        _mine.Send(new byte[100_000]);
        _mine.Send([1]);

        Assert.Equal(ControlChannel.MostBytes + 1, _theirs.Receive(_buffer));
        Assert.Equal([1], Received(_theirs));
    }

    /// <summary>Who does not listen holds up nobody, and a message that waits already counts once.</summary>
    [Fact]
    public void Sending_does_not_wait_and_loses_nothing()
    {
        var sent = new HashSet<string>();
        for (var round = 0; round < 20; round++)
        {
            for (var i = 0; i < 256; i++)
            {
                byte[] message = [(byte)i, (byte)(i / 7)];
                Assert.True(_mine.Send(message));
                sent.Add(Convert.ToHexString(message));
            }
        }

        var received = new HashSet<string>();
        var count = 0;
        while (received.Count < sent.Count || count < 256)
        {
            received.Add(Convert.ToHexString(Received(_theirs)));
            count++;
        }

        _mine.Send([99, 99, 99]);
        while (Received(_theirs) is not [99, 99, 99]) count++;
        Assert.Equal(sent, received);
        Assert.InRange(count, 256, 20 * 256 - 1);
    }

    [Fact]
    public void What_is_left_unheard_is_bounded()
    {
        var refused = 0;
        for (var i = 0; i < 5000; i++) refused += _mine.Send(BitConverter.GetBytes(i)) ? 0 : 1;
        Assert.InRange(refused, 1, 5000 - 1024);
        _theirs.Dispose();
        Assert.False(_mine.Send([1]));
    }

    [Fact]
    public void Who_does_not_listen_any_more_can_still_say_something()
    {
        _mine.StopListening();
        Assert.False(_theirs.Send([1]));
        Assert.True(_mine.Send([2]));
        Assert.Equal([2], Received(_theirs));
    }

    [Fact]
    public async Task A_wait_ends_when_the_channel_is_closed_here()
    {
        var waiting = Task.Factory.StartNew(() => Received(_mine), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _mine.Dispose();
        Assert.Empty(await waiting.WaitAsync(Patience));
        Assert.False(_mine.Send([1]));
        Assert.Empty(Received(_mine));
    }

    public void Dispose()
    {
        _mine.Dispose();
        _theirs.Dispose();
    }

    private byte[] Received(ControlChannel channel) => _buffer[..channel.Receive(_buffer)];
}
