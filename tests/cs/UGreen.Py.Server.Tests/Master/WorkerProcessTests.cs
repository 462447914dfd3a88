using System.Collections.Concurrent;
using UGreen.Py.Native;
using UGreen.Py.Server.Master;
using Xunit;

namespace UGreen.Py.Server.Tests.Master;

/// <summary>A real process, and a test at the other end of its channel that says what an application could.</summary>
public sealed class WorkerProcessTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly BlockingCollection<Action> _loop = [];
    private readonly List<string> _happened = [];
    private readonly ControlChannel _theirs;
    private readonly WorkerProcess _process;

    public WorkerProcessTests()
    {
        var (mine, theirs) = SocketPair.Create();
        _theirs = new ControlChannel(theirs);
        var pid = SpawnedProcess.Start(new SpawnRequest { Path = "sleep", Arguments = ["sleep", "600"] });
        _process = new WorkerProcess(pid, 0, new ControlChannel(mine), new WorkerVoice(2), _loop.Add)
        {
            Said = (_, message) => _happened.Add(message.ToString()),
            Broke = (_, how) => _happened.Add(how),
            Ended = (_, status) => _happened.Add(status.Text),
        };
        _process.Watch();
    }

    public static TheoryData<byte[], string> Bad => new()
    {
        { "signal a b\n"u8.ToArray(), "it sent a message of a kind that there is not (115)" },
        { new byte[100_000], "it sent a message of more than 4096 bytes" },
        { [8, 1, 3, 0], "it sent a message with a signal for worker 3 of 2" },
        { [], "it has closed it" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void Who_breaks_the_channel_is_not_heard_any_more_but_can_be_told_something(byte[] bytes, string how)
    {
        _theirs.Send(new WorkerMessage.Leaving().Write());
        _theirs.Send(bytes);
        Turn();
        Turn();
        Assert.Equal(["Leaving { }", how], _happened);

        Assert.False(_theirs.Send(new WorkerMessage.Stop("unheard").Write()));
        _process.Drain("replaced");
        var buffer = new byte[ControlChannel.MostBytes + 1];
        Assert.Equal(new MasterMessage.Drain("replaced"), MasterMessage.Read(buffer.AsSpan(0, _theirs.Receive(buffer))));
        _process.Kill();
        Turn();
        Assert.Equal("killed by SIGKILL", _happened[^1]);
    }

    [Fact]
    public void An_end_is_no_broken_channel()
    {
        _theirs.Send(new WorkerMessage.Leaving().Write());
        _theirs.Dispose();
        _process.Kill();
        Turn();
        Turn();
        Assert.Equal(["Leaving { }", "killed by SIGKILL"], _happened);
        Assert.Empty(_loop);
    }

    /// <summary>However much a worker says, a few of its messages wait for their turn, and all others in its own memory.</summary>
    [Fact]
    public void A_flood_is_heard_a_few_at_a_time()
    {
        for (var i = 0; i < 5000; i++) _theirs.Send(new WorkerMessage.Reload($"{i}").Write());
        var most = 0;
        for (var i = 0; i < 400; i++)
        {
            Turn();
            most = Math.Max(most, _loop.Count);
        }

        Assert.InRange(most, 1, 8);
        Assert.Equal(Enumerable.Range(0, 400).Select(i => $"Reload {{ Reason = {i} }}"), _happened);
    }

    public void Dispose()
    {
        _process.Kill();
        _theirs.Dispose();
        // What is left to be heard, and the end.
        while (_happened is [] || !_happened[^1].StartsWith("killed", StringComparison.Ordinal)) Turn();
        _loop.Dispose();
    }

    private void Turn()
    {
        Assert.True(_loop.TryTake(out var work, Patience), $"nothing more happened after: {string.Join(", ", _happened)}");
        work();
    }
}
