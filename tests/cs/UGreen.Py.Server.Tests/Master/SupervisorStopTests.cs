using Xunit;
using static UGreen.Py.Server.Tests.Master.FakeMaster;

namespace UGreen.Py.Server.Tests.Master;

public sealed class SupervisorStopTests
{
    [Fact]
    public void Those_that_serve_drain_those_that_start_are_killed_and_then_it_is_over()
    {
        var master = new FakeMaster(2).Started();
        master.Supervisor.Reload("SIGHUP");
        _ = master.Happened;

        master.Supervisor.Stop("SIGTERM");
        master.Supervisor.Stop("SIGTERM");
        Assert.Equal("drain 100, drain 101, kill 102", master.Happened);
        master.Supervisor.Ready(102); // its last words were on their way
        master.Exit(102);
        master.Exit(100, Clean);
        Assert.Null(master.Supervisor.ExitCode);
        master.Exit(101, Clean);
        Assert.Equal(0, master.Supervisor.ExitCode);
        Assert.Equal("", master.Happened);
    }

    [Fact]
    public void One_that_takes_too_long_is_killed_after_the_mercy_and_the_time_of_its_own()
    {
        var master = new FakeMaster(2, change: s => s with { Mercy = TimeSpan.FromSeconds(3) }).Started();
        master.Supervisor.Stop("SIGTERM");
        master.Tick(7.9);
        Assert.Equal("drain 100, drain 101", master.Happened);
        master.Exit(100, Clean);
        master.Tick(0.2);
        master.Tick(1);
        Assert.Equal("kill 101", master.Happened);
        master.Exit(101);
        Assert.Equal(0, master.Supervisor.ExitCode);
        Assert.Contains("worker 2 (pid 101) did not end in time and is killed", master.Log.Lines);
    }

    [Fact]
    public void Before_anything_serves()
    {
        var master = new FakeMaster(2);
        master.Supervisor.Start();
        master.Supervisor.Stop("SIGINT");
        Assert.Equal("start 1 as 100, kill 100", master.Happened);
        master.Exit(100);
        Assert.Equal(0, master.Supervisor.ExitCode);

        var idle = new FakeMaster(1);
        idle.Supervisor.Stop("SIGINT");
        Assert.Equal(0, idle.Supervisor.ExitCode);
    }

    [Fact]
    public void At_once_all_are_killed_and_nothing_starts_any_more()
    {
        var master = new FakeMaster(2).Started();
        master.Supervisor.Reload("SIGHUP");
        _ = master.Happened;

        master.Supervisor.StopAtOnce("SIGQUIT", 131);

        Assert.Equal("kill 100, kill 101, kill 102", master.Happened);
        Assert.Equal(131, master.Supervisor.ExitCode);
        master.Supervisor.Ready(102);
        foreach (var pid in new[] { 100, 101, 102 }) master.Exit(pid);
        master.Supervisor.Reload("SIGHUP");
        master.Tick(60);
        Assert.Equal("", master.Happened);
        Assert.Equal(131, master.Supervisor.ExitCode);
        Assert.DoesNotContain(master.Log.Lines, line => line.Contains("SIGSEGV", StringComparison.Ordinal)); // their ends were asked for
    }

    [Fact]
    public void Words_of_a_process_that_is_gone_mean_nothing()
    {
        var master = new FakeMaster(1).Started();
        master.Supervisor.Ready(999);
        master.Supervisor.Failed(999, "x");
        master.Supervisor.Leaving(999, "x");
        master.Supervisor.Recycle(999, "x");
        master.Supervisor.Exited(999, Crash);
        master.Supervisor.Ready(100);
        master.Supervisor.Failed(100, "x");
        Assert.Equal("", master.Happened);
    }
}
