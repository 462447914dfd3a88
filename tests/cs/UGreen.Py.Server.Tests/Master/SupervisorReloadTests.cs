using UGreen.Py.Server.Master;
using Xunit;
using static UGreen.Py.Server.Tests.Master.FakeMaster;

namespace UGreen.Py.Server.Tests.Master;

/// <summary>Workers that are well are replaced: all by a reload, single ones by a limit.</summary>
public sealed class SupervisorReloadTests
{
    [Fact]
    public void One_after_the_other_and_the_new_one_serves_before_the_old_one_drains()
    {
        var master = new FakeMaster(2).Started();

        master.Supervisor.Reload("SIGHUP");
        Assert.Equal("reload, start 1 as 102", master.Happened);
        master.Supervisor.Ready(102);
        Assert.Equal("drain 100, start 2 as 103", master.Happened);
        Assert.Equal(102, master.Leader);
        master.Supervisor.Ready(103);
        Assert.Equal("drain 101, reloaded", master.Happened);
        master.Exit(100, Clean);
        master.Exit(101, Clean);
        master.Tick(60);
        Assert.Equal("", master.Happened);
        Assert.DoesNotContain(master.Log.Lines, line => line.Contains("died", StringComparison.Ordinal));
    }

    [Fact]
    public void A_new_one_that_fails_leaves_the_old_ones_as_they_are()
    {
        var master = new FakeMaster(2).Started();
        master.Supervisor.Reload("SIGHUP");
        master.Fail(102, "SyntaxError");

        Assert.Equal("reload, start 1 as 102, not reloaded", master.Happened);
        master.Tick(60);
        Assert.Equal("", master.Happened);
        Assert.Contains("reload given up: worker 1: SyntaxError; the old workers go on serving", master.Log.Lines);

        master.RefusesToLaunch = true;
        master.Supervisor.Reload("SIGHUP");
        Assert.Equal("reload, refused 1, not reloaded", master.Happened);
        master.RefusesToLaunch = false;
        master.Supervisor.Reload("SIGHUP");
        Assert.Equal("reload, start 1 as 103", master.Happened);
    }

    [Fact]
    public void A_reload_during_a_reload_follows_it()
    {
        var master = new FakeMaster(1).Started();
        master.Supervisor.Reload("SIGHUP");
        master.Supervisor.Reload("SIGHUP");
        master.Supervisor.Reload("SIGHUP");
        Assert.Equal("reload, start 1 as 101", master.Happened);
        master.Supervisor.Ready(101);
        Assert.Equal("drain 100, reloaded, reload, start 1 as 102", master.Happened);
        master.Supervisor.Ready(102);
        Assert.Equal("drain 101, reloaded", master.Happened);

        master.Supervisor.Reload("SIGHUP");
        master.Supervisor.Reload("SIGHUP");
        _ = master.Happened;
        master.Fail(103, "SyntaxError");
        Assert.Equal("not reloaded, reload, start 1 as 104", master.Happened);
    }

    [Fact]
    public void The_old_one_dies_while_its_replacement_starts()
    {
        var master = new FakeMaster(2).Started();
        master.Supervisor.Reload("SIGHUP");
        _ = master.Happened;
        master.Exit(100);
        Assert.Equal("", master.Happened); // there is one that starts already
        master.Supervisor.Ready(102);
        Assert.Equal("start 2 as 103", master.Happened);

        // And when that one fails as well, the worker is needed all the same.
        master.Exit(101);
        master.Fail(103, "SyntaxError");
        Assert.Equal("not reloaded", master.Happened);
        master.Tick(1.1);
        Assert.Equal("start 2 as 104", master.Happened);
    }

    /// <summary>A process that was starting when the reload began may have read the old files: it is neither the new one, nor is its failure the reload's.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_that_starts_for_another_reason_is_not_the_new_one(bool comesUp)
    {
        var master = new FakeMaster(2).Started();
        master.Exit(100);
        master.Supervisor.Reload("SIGHUP");
        Assert.Equal("start 1 as 102, reload, start 1 as 103", master.Happened);

        if (comesUp) master.Supervisor.Ready(102);
        else master.Fail(102, "half written");
        Assert.Equal("", master.Happened);

        master.Supervisor.Ready(103);
        Assert.Equal(comesUp ? "drain 102, start 2 as 104" : "start 2 as 104", master.Happened);
        master.Supervisor.Ready(104);
        Assert.Equal("drain 101, reloaded", master.Happened);
    }

    [Fact]
    public void One_that_waits_to_be_tried_again_is_tried_at_once()
    {
        var master = new FakeMaster(2).Started();
        master.Exit(101);
        master.Fail(102, "broken");
        _ = master.Happened;
        master.Supervisor.Reload("repaired");
        master.Supervisor.Ready(103);
        master.Supervisor.Tick();
        Assert.Equal("reload, start 1 as 103, start 2 as 104, drain 100, reloaded", master.Happened);
    }

    [Fact]
    public void A_worker_that_is_not_wanted_any_more_does_not_hold_up_the_reload()
    {
        var master = new FakeMaster(2).Started();
        master.Supervisor.Reload("SIGHUP");
        master.Supervisor.Ready(102);
        _ = master.Happened;

        master.Supervisor.SetWanted(1);
        Assert.Equal("kill 103, drain 101, reloaded", master.Happened);
        master.Supervisor.Reload("SIGHUP");
        Assert.Equal("reload, start 1 as 104", master.Happened);
    }

    [Fact]
    public void With_watched_sources_a_new_one_that_waits_starts_another_reload()
    {
        var master = new FakeMaster(2, change: s => s with { SurvivesFailedStart = true }).Started();
        master.Supervisor.Reload("SIGHUP");
        master.Supervisor.Failed(102, "SyntaxError");
        Assert.Equal("reload, start 1 as 102, not reloaded", master.Happened);
        master.Tick(600);
        Assert.Equal("", master.Happened);
        master.Exit(102, Clean);
        Assert.Equal("reload, start 1 as 103", master.Happened);
    }

    [Fact]
    public void One_that_breaks_its_channel_is_replaced_without_a_gap()
    {
        var master = new FakeMaster(2).Started();
        master.Supervisor.Unheard(100, "it sent a message of a kind that there is not (115)");
        master.Tick(0);
        Assert.Equal("start 1 as 102", master.Happened);
        master.Supervisor.Ready(102);
        Assert.Equal("drain 100", master.Happened);
        Assert.Contains(master.Log.Lines, line => line.StartsWith("worker 1 (pid 100) has broken its channel to the master: it sent a message of a kind that there is not (115); nothing more is heard from it, and it is replaced", StringComparison.Ordinal));

        // One that does it each time is no storm.
        master.Supervisor.Unheard(102, "it has closed it");
        master.Tick(9);
        Assert.Equal("", master.Happened);
        master.Tick(2);
        Assert.Equal("start 1 as 103", master.Happened);
    }

    [Fact]
    public void The_new_one_breaks_its_channel()
    {
        var master = new FakeMaster(1).Started();
        master.Supervisor.Reload("SIGHUP");
        master.Supervisor.Unheard(101, "it has closed it");
        Assert.Equal("reload, start 1 as 101, kill 101", master.Happened);
        master.Exit(101);
        Assert.Equal("not reloaded", master.Happened);
        Assert.Contains("reload given up: worker 1: its channel to the master broke: it has closed it; the old workers go on serving", master.Log.Lines);
    }

    [Fact]
    public void Who_asks_again_and_again_gets_one_more_reload()
    {
        var master = new FakeMaster(1).Started();
        for (var i = 0; i < 100; i++) master.Supervisor.ReloadOnce("uwsgi.reload()");
        master.Supervisor.Ready(101);
        master.Supervisor.Ready(102);
        Assert.Equal("reload, start 1 as 101, drain 100, reloaded, reload, start 1 as 102, drain 101, reloaded", master.Happened);
        Assert.Single(master.Log.Lines, line => line.Contains("one is under way", StringComparison.Ordinal));
    }

    [Fact]
    public void A_limit_replaces_one_at_a_time_and_none_that_is_young()
    {
        var master = new FakeMaster(3).Started();
        master.Supervisor.Recycle(101, "memory");
        master.Supervisor.Recycle(102, "memory");
        master.Supervisor.Recycle(102, "requests");
        master.Supervisor.Tick();
        Assert.Equal("start 2 as 103", master.Happened);
        master.Tick(1);
        master.Supervisor.Ready(103);
        Assert.Equal("drain 101", master.Happened);
        master.Supervisor.Recycle(103, "memory");
        master.Tick(0);
        Assert.Equal("start 3 as 104", master.Happened);
        master.Supervisor.Ready(104);
        Assert.Equal("drain 102", master.Happened);
        master.Tick(9.9);
        Assert.Equal("", master.Happened);
        master.Tick(0.2);
        Assert.Equal("start 2 as 105", master.Happened);
        Assert.Contains("worker 3 (pid 102) is replaced: memory", master.Log.Lines);
    }

    [Fact]
    public void A_replacement_that_fails_is_tried_again_while_the_old_one_serves()
    {
        var master = new FakeMaster(1).Started();
        master.Supervisor.Recycle(100, "memory");
        master.Supervisor.Tick();
        master.Fail(101, "broken");
        master.Tick(0.9);
        Assert.Equal("start 1 as 101", master.Happened);
        master.Tick(0.2);
        Assert.Equal("start 1 as 102", master.Happened);
        master.Supervisor.Ready(102);
        Assert.Equal("drain 100", master.Happened);
    }

    [Fact]
    public void Each_has_a_lifetime_that_grows_with_its_number()
    {
        var master = new FakeMaster(2, change: s => s with { Lifetime = TimeSpan.FromSeconds(100), LifetimeDelta = TimeSpan.FromSeconds(10), MinLifetime = TimeSpan.FromHours(1) });
        master.Started(); // 60 s
        master.Tick(49);
        Assert.Equal("", master.Happened);
        master.Tick(2);
        Assert.Equal("start 1 as 102", master.Happened);
        master.Supervisor.Ready(102);
        master.Tick(10);
        Assert.Equal("drain 100, start 2 as 103", master.Happened);
    }

    [Fact]
    public void A_reload_during_a_replacement_starts_that_again()
    {
        var master = new FakeMaster(2).Started();
        master.Supervisor.Recycle(100, "memory");
        master.Supervisor.Tick();
        master.Supervisor.Reload("SIGHUP");
        Assert.Equal("start 1 as 102, reload, kill 102, start 1 as 103", master.Happened);
        master.Exit(102);
        master.Supervisor.Ready(103);
        Assert.Equal("drain 100, start 2 as 104", master.Happened);
    }
}
