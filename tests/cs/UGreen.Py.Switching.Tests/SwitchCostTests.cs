using System.Diagnostics;
using Xunit;
using Xunit.Abstractions;

namespace UGreen.Py.Switching.Tests;

/// <summary>Prints what a round trip costs; asserts nothing about time.</summary>
public class SwitchCostTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(SwitchKind.Direct, "bare_job", 1, 3_000_000)]
    [InlineData(SwitchKind.Direct, "bare_job", 30, 3_000_000)]
    [InlineData(SwitchKind.Direct, "nested_job", 1, 3_000_000)]
    [InlineData(SwitchKind.Direct, "nested_job", 30, 3_000_000)]
    [InlineData(SwitchKind.Posix, "bare_job", 1, 300_000)]
    public void Round_trip(SwitchKind kind, string job, int cores, int total) => Hub.Run(kind, cores, 64, hub =>
    {
        double best = double.MaxValue;
        for (int repetition = 0; repetition < 5; repetition++)
        {
            for (int i = 0; i < cores; i++) hub.Start(i, job, total / cores);
            long start = Stopwatch.GetTimestamp();
            int calls = RoundRobin(hub.Switch);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / calls);
            Assert.Equal(total, calls);
        }

        output.WriteLine($"{kind}, {job}, {cores} cores: {best:F1} ns per round trip");
        Console.WriteLine($"{kind}, {job}, {cores} cores: {best:F1} ns per round trip");
    });

    private static int RoundRobin(GreenSwitch green)
    {
        int calls = 0;
        bool alive = true;
        GreenCore[] cores = [.. green.Cores];
        while (alive)
        {
            alive = false;
            foreach (GreenCore core in cores)
            {
                if (core.StackPointer == 0 || !green.Resume(core)) continue;
                calls++;
                alive = true;
            }
        }

        return calls;
    }
}
