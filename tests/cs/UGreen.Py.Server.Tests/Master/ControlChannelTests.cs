using UGreen.Py.Native;
using UGreen.Py.Server.Master;
using Xunit;

namespace UGreen.Py.Server.Tests.Master;

public sealed class ControlChannelTests : IDisposable
{
    private readonly ControlChannel _mine;
    private readonly ControlChannel _theirs;

    public ControlChannelTests()
    {
        var (mine, theirs) = SocketPair.Create();
        (_mine, _theirs) = (new ControlChannel(mine), new ControlChannel(theirs));
    }

    public static TheoryData<string[]> Messages => new()
    {
        new[] { "drain" },
        new[] { "drain", "two words  and more" },
        new[] { "failed", "a line\nand another\r\n", "Grüße \U0001F600", "100 % + / &" },
        new[] { "leaving", "" },
        new[] { "", "x" },
        new[] { "", "", "x", "" },
        new[] { "" },
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public void Words_arrive_as_they_were_sent(string[] words)
    {
        _mine.Send(words);
        _theirs.Send([.. words, "back"]);

        Assert.Equal(words, _theirs.Receive()!);
        Assert.Equal([.. words, "back"], _mine.Receive()!);
    }

    [Fact]
    public void One_after_the_other_and_then_the_end()
    {
        for (var i = 0; i < 100; i++) _mine.Send("signal", $"{i}");
        _mine.Dispose();

        for (var i = 0; i < 100; i++) Assert.Equal(["signal", $"{i}"], _theirs.Receive()!);
        Assert.Null(_theirs.Receive());
        Assert.Null(_theirs.Receive());
        _theirs.Send("nobody", "hears it");
        _theirs.Send("nobody", "hears it");
    }

    [Fact]
    public async Task A_long_order_arrives_whole()
    {
        var order = (WorkerOrderTests.Order() with { Arguments = [.. Enumerable.Range(0, 20_000).Select(i => $"--set=ü{i}")] }).Write();

        var sending = Task.Run(() => _mine.Send(Message.Order, order));
        var words = _theirs.Receive();
        await sending;

        Assert.Equal([Message.Order, order], words!);
    }

    [Fact]
    public void After_its_own_end_nothing_is_said_or_heard()
    {
        _mine.Dispose();
        _mine.Send("drain");
        Assert.Null(_mine.Receive());
    }

    public void Dispose()
    {
        _mine.Dispose();
        _theirs.Dispose();
    }
}
