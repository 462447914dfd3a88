using UGreen.Py.Server.Master;
using Xunit;
using static UGreen.Py.Server.Tests.Master.FakeMaster;

namespace UGreen.Py.Server.Tests.Master;

/// <summary>Starts, deaths and the pauses between them.</summary>
public sealed class SupervisorStartTests
{
    [Fact]
    public void The_others_start_when_the_first_serves()
    {
        var master = new FakeMaster(3);
        master.Supervisor.Start();
        master.Tick(5);
        Assert.Equal("start 1 as 100", master.Happened);

        master.Supervisor.Ready(100);
        Assert.Equal("serving, start 2 as 101, start 3 as 102", master.Happened);
        Assert.Null(master.Supervisor.ExitCode);
    }

    [Fact]
    public void When_the_first_fails_the_server_ends_with_1()
    {
        var master = new FakeMaster(3);
        master.Supervisor.Start();
        master.Fail(100, "there is no module 'x'");

        Assert.Equal(1, master.Supervisor.ExitCode);
        master.Tick(60);
        Assert.Equal("start 1 as 100", master.Happened);
        Assert.Empty(master.Log.Lines); // the worker has told it

        var silent = new FakeMaster(1);
        silent.Supervisor.Start();
        silent.Exit(100);
        Assert.Equal(1, silent.Supervisor.ExitCode);
        Assert.Equal("the first worker cannot start: it ended before it served: killed by SIGSEGV", Assert.Single(silent.Log.Lines));

        var refused = new FakeMaster(1) { RefusesToLaunch = true };
        refused.Supervisor.Start();
        Assert.Equal(1, refused.Supervisor.ExitCode);
    }

    [Fact]
    public void The_first_breaks_its_channel_before_it_serves()
    {
        var master = new FakeMaster(2);
        master.Supervisor.Start();
        master.Supervisor.Unheard(100, "it sent a message of more than 4096 bytes");
        Assert.Equal("start 1 as 100, kill 100", master.Happened);
        master.Exit(100);
        Assert.Equal(1, master.Supervisor.ExitCode);
        master.Supervisor.Unheard(100, "it is gone");
        Assert.Single(master.Log.Lines);
    }

    [Fact]
    public void One_that_dies_is_replaced_at_once()
    {
        var master = new FakeMaster(2).Started();

        master.Exit(101);

        Assert.Equal("start 2 as 102", master.Happened);
        Assert.Equal((0, 1), (master.Supervisor.RespawnsOf(1), master.Supervisor.RespawnsOf(2)));
        Assert.Equal([0, 0, 1], master.RespawnsAtLaunch);
        Assert.Contains("worker 2 (pid 101) died: killed by SIGSEGV; it is replaced", master.Log.Lines);
    }

    /// <summary>Whether it dies while it starts or right after: 1, 2, 4 … 30 seconds.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void One_that_dies_at_its_start_is_tried_again_more_and_more_slowly(bool wasReady)
    {
        var master = new FakeMaster(1).Started();
        master.Exit(100);

        foreach (var pause in new double[] { 1, 2, 4, 8, 16, 30, 30 })
        {
            var pid = master.Processes[^1].Pid;
            if (wasReady) master.Supervisor.Ready(pid);
            master.Time.Advance(0.9);
            if (wasReady) master.Exit(pid);
            else master.Fail(pid, "broken");
            _ = master.Happened;

            master.Tick(pause - 0.1);
            Assert.Equal("", master.Happened);
            master.Tick(0.2);
            Assert.Equal($"start 1 as {pid + 1}", master.Happened);
        }

        // A long life makes up for all of it.
        master.Supervisor.Ready(master.Processes[^1].Pid);
        master.Tick(1);
        master.Exit(master.Processes[^1].Pid);
        Assert.StartsWith("start 1 as", master.Happened, StringComparison.Ordinal);
        Assert.Null(master.Supervisor.ExitCode);
    }

    [Fact]
    public void One_that_cannot_even_be_launched_is_tried_again()
    {
        var master = new FakeMaster(1).Started();
        master.RefusesToLaunch = true;
        master.Exit(100);
        Assert.Equal("refused 1", master.Happened);
        Assert.Equal(0, master.Supervisor.RespawnsOf(1));

        master.RefusesToLaunch = false;
        master.Tick(0.5);
        Assert.Equal("", master.Happened);
        master.Tick(1);
        Assert.Equal("start 1 as 101", master.Happened);
    }

    [Fact]
    public void One_that_leaves_by_itself_is_replaced_at_once_and_killed_when_it_takes_too_long()
    {
        var master = new FakeMaster(2).Started();

        master.Supervisor.Leaving(100, "SIGTERM");
        Assert.Equal("start 1 as 102", master.Happened);
        Assert.Equal(101, master.Leader);
        master.Supervisor.Ready(102);
        Assert.Equal(102, master.Leader);

        master.Tick(14.9);
        Assert.Equal("", master.Happened);
        master.Tick(0.2);
        Assert.Equal("kill 100", master.Happened);
        master.Tick(60);
        master.Exit(100);
        Assert.Equal("", master.Happened);
    }

    /// <summary>An application that sends itself SIGTERM as soon as it serves must not become a storm.</summary>
    [Fact]
    public void One_that_leaves_right_after_its_start_is_replaced_after_a_pause()
    {
        var master = new FakeMaster(1).Started();
        master.Exit(100);
        master.Supervisor.Ready(101);
        master.Supervisor.Leaving(101, "SIGTERM");
        Assert.Equal("start 1 as 101", master.Happened);
        master.Tick(1.1);
        Assert.Equal("start 1 as 102", master.Happened);
    }

    [Fact]
    public void The_leader_is_the_lowest_that_serves()
    {
        var master = new FakeMaster(3);
        master.Supervisor.Start();
        Assert.Equal(-1, master.Leader);
        master.Supervisor.Ready(100);
        Assert.Equal(100, master.Leader);
        master.Supervisor.Ready(101);
        master.Supervisor.Ready(102);
        master.Tick(60);
        Assert.Equal(100, master.Leader);

        master.Exit(100);
        Assert.Equal(101, master.Leader);
        master.Supervisor.Ready(103);
        Assert.Equal(103, master.Leader);
        foreach (var pid in new[] { 101, 102, 103 }) master.Exit(pid);
        Assert.Equal(-1, master.Leader);
    }

    [Fact]
    public void Their_number_goes_up_and_down_by_the_highest_numbers()
    {
        var master = new FakeMaster(4, initial: 2);
        master.Started();
        Assert.Equal((2, 2), (master.Supervisor.Wanted, master.Processes.Count));

        master.Supervisor.SetWanted(4);
        Assert.Equal("start 3 as 102, start 4 as 103", master.Happened);
        master.Supervisor.Ready(102);
        master.Supervisor.SetWanted(1);
        Assert.Equal("drain 101, drain 102, kill 103", master.Happened);
        Assert.Equal(1, master.Supervisor.Wanted);

        foreach (var pid in new[] { 101, 102, 103 }) master.Exit(pid, Clean);
        master.Tick(60);
        Assert.Equal("", master.Happened);
        master.Supervisor.SetWanted(2);
        Assert.Equal("start 2 as 104", master.Happened);
    }

    [Fact]
    public void With_watched_sources_a_first_start_that_fails_waits_for_a_change()
    {
        var master = new FakeMaster(2, change: s => s with { SurvivesFailedStart = true });
        master.Supervisor.Start();
        master.Supervisor.Failed(100, "SyntaxError");
        master.Tick(600);
        Assert.Equal("start 1 as 100", master.Happened);

        master.Exit(100, Clean); // a file has changed
        Assert.Equal("start 1 as 101", master.Happened);
        Assert.Null(master.Supervisor.ExitCode);

        master.Supervisor.Failed(101, "SyntaxError");
        master.Exit(101); // killed by somebody: no change, so not at once
        Assert.Equal("", master.Happened);
        master.Tick(1.1);
        Assert.Equal("start 1 as 102", master.Happened);
        master.Supervisor.Ready(102);
        Assert.Equal("serving, start 2 as 103", master.Happened);
    }
}
