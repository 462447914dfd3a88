using UGreen.Py.Server.Master;
using Xunit;
using static UGreen.Py.Server.Tests.Master.FakeMaster;

namespace UGreen.Py.Server.Tests.Master;

/// <summary>Thousands of events in any order: what the supervisor promises holds after each, and a stop always ends.</summary>
public sealed class SupervisorRandomTests
{
    private const int Events = 3000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Promises_hold(int seed)
    {
        var random = new Random(seed);
        var workers = random.Next(1, 6);
        var master = new FakeMaster(workers, random.Next(1, workers + 1), s => s with
        {
            Mercy = TimeSpan.FromSeconds(random.Next(0, 4)),
            Lifetime = seed % 2 == 0 ? TimeSpan.FromSeconds(40) : null,
            SurvivesFailedStart = seed % 3 == 0,
        });
        master.Supervisor.Start();
        master.Supervisor.Ready(FirstPid);
        for (var i = 0; i < Events; i++)
        {
            Step(master, random, workers);
            Check(master, i);
        }

        // When nothing goes wrong any more, all that are wanted serve before long, and no reload is left open.
        master.RefusesToLaunch = false;
        for (var i = 0; i < 200 + (20 * workers); i++)
        {
            foreach (var life in master.Supervisor.Lives.ToList()) Behave(master, life);
            master.Tick(1);
            Check(master, Events + i);
        }

        Assert.Equal(master.Supervisor.Wanted, master.Supervisor.Lives.Where(l => l.State == WorkerState.Ready).Select(l => l.Worker).Distinct().Count());
        Assert.Equal(0, master.Reloads);
        End(master, random);
    }

    private static void Step(FakeMaster master, Random random, int workers)
    {
        var supervisor = master.Supervisor;
        var live = master.Live.ToList();
        var pid = live.Count == 0 ? FirstPid : live[random.Next(live.Count)].Pid;
        switch (random.Next(15))
        {
            case 0 or 1 or 2: supervisor.Ready(pid); break;
            case 3: supervisor.Failed(pid, "broken"); break;
            case 4: if (live.Count > 0) master.Exit(pid, random.Next(2) == 0 ? Clean : Crash); break;
            case 5: supervisor.Leaving(pid, "SIGTERM"); break;
            case 6: supervisor.Recycle(pid, "memory"); break;
            case 7: supervisor.Reload("SIGHUP"); break;
            case 8: supervisor.SetWanted(random.Next(1, workers + 1)); break;
            case 9: master.RefusesToLaunch = random.Next(4) == 0; break;
            case 14: supervisor.Unheard(pid, "it said nonsense"); break;
            case 10: foreach (var killed in live.Where(p => p.IsKilled)) master.Exit(killed.Pid); break;
            default: master.Tick(random.NextDouble() * 3); break;
        }
    }

    /// <summary>What a sound process does.</summary>
    private static void Behave(FakeMaster master, WorkerLife life)
    {
        if (life.State == WorkerState.Draining) master.Exit(life.Process.Pid, Clean);
        else if (life.IsWaiting) master.Exit(life.Process.Pid, Clean);
        else if (life.State == WorkerState.Starting) master.Supervisor.Ready(life.Process.Pid);
    }

    private static void Check(FakeMaster master, int step)
    {
        var lives = master.Supervisor.Lives;
        Assert.True(master.Live.Select(p => p.Pid).Order().SequenceEqual(lives.Select(l => l.Process.Pid).Order()), $"step {step}: live processes and those known differ");
        Assert.True(master.Reloads is 0 or 1, $"step {step}: {master.Reloads} reloads at once");
        Assert.Null(master.Supervisor.ExitCode);
        foreach (var ofOne in lives.GroupBy(l => l.Worker))
        {
            var states = string.Join(", ", ofOne.Select(l => l.State));
            Assert.True(ofOne.Count(l => l.State == WorkerState.Ready) <= 1, $"step {step}: worker {ofOne.Key}: {states}");
            Assert.True(ofOne.Count(l => l.State != WorkerState.Draining) <= 2, $"step {step}: worker {ofOne.Key}: {states}");
        }

        foreach (var life in lives.Where(l => l.State == WorkerState.Draining)) Assert.True(life.KilledBecause is not null || life.KillAt > TimeSpan.Zero, $"step {step}: {life.Process.Pid} is never killed");
        var leader = lives.Where(l => l.State == WorkerState.Ready).OrderBy(l => l.Worker).FirstOrDefault()?.Process.Pid ?? -1;
        Assert.True(leader == master.Leader, $"step {step}: the leader is {master.Leader} and not {leader}");
    }

    private static void End(FakeMaster master, Random random)
    {
        master.Supervisor.Reload("SIGHUP");
        if (random.Next(2) == 0) master.Supervisor.Ready(master.Processes[^1].Pid);
        master.Supervisor.Stop("SIGTERM");
        var launched = master.Processes.Count;
        for (var i = 0; i < 100 && master.Supervisor.ExitCode is null; i++)
        {
            // Some end by themselves, the others only when they are killed.
            foreach (var process in master.Live.ToList())
            {
                if (random.Next(3) == 0) master.Supervisor.Ready(process.Pid);
                if (process.IsKilled || (process.IsDrained && random.Next(10) == 0)) master.Exit(process.Pid, process.IsKilled ? Crash : Clean);
            }

            master.Tick(1);
        }

        Assert.Equal(0, master.Supervisor.ExitCode);
        Assert.Empty(master.Live);
        Assert.Equal(launched, master.Processes.Count);
    }
}
