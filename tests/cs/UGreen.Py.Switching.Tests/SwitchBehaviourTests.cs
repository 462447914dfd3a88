using Xunit;

namespace UGreen.Py.Switching.Tests;

/// <summary>What both switches promise; SwitchContract.md. Each test runs on a hub thread of its own.</summary>
public class SwitchBehaviourTests
{
    public static TheoryData<SwitchKind> Kinds => [SwitchKind.Direct, SwitchKind.Posix];

    [Theory, MemberData(nameof(Kinds))]
    public void Arguments_go_out_and_results_come_back(SwitchKind kind) => Hub.Run(kind, 2, 16, hub =>
    {
        GreenCore core = hub.Start(1, "echo_job", rounds: 1000, seed: 5);
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(hub.Switch.Resume(core));
            Assert.Equal(core.Self, hub.Switch.Cores[1].Self);
            Assert.Equal(1, core.NArgs);
            Assert.Equal(5 + i + 7, core.KwNames);
            Assert.InRange(core.Args, core.StackPointer, core.StackLow + core.StackBytes);
            Assert.False(hub.Switch.GreenThreadRuns);
            Hub.Answer(core);
        }

        Assert.False(hub.Switch.Resume(core));
        Assert.Equal(1005, core.Result);
        Assert.Equal(0, core.StackPointer);
        Assert.Equal(0, hub.Job(1).Failures);
    });

    [Theory, MemberData(nameof(Kinds))]
    public void A_result_is_handed_over_once(SwitchKind kind) => Hub.Run(kind, 1, 16, hub =>
    {
        GreenCore core = hub.Start(0, "echo_job", rounds: 2, seed: 1);
        core.Result = 99;
        Assert.True(hub.Switch.Resume(core));
        Assert.Equal(0, core.Result);
        Hub.Answer(core);
        Assert.NotEqual(0, core.Result);
        Assert.True(hub.Switch.Resume(core));
        Assert.Equal(0, core.Result);
        _ = hub.RunToEnd(core);
    });

    [Theory, MemberData(nameof(Kinds))]
    public void A_finished_core_starts_afresh(SwitchKind kind) => Hub.Run(kind, 1, 16, hub =>
    {
        for (int life = 0; life < 2000; life++)
        {
            GreenCore core = hub.Start(0, "echo_job", rounds: life % 3, seed: life);
            Assert.Equal(life % 3, hub.RunToEnd(core));
            Assert.Equal(1000 + life, core.Result);
        }

        Assert.Equal(0, hub.Job(0).Failures);
    });

    [Theory, MemberData(nameof(Kinds))]
    public void A_hundred_cores_interleave_in_random_order(SwitchKind kind) => Hub.Run(kind, 100, 32, hub =>
    {
        Random order = new(20240229);
        for (int i = 0; i < 100; i++) hub.Start(i, i % 2 == 0 ? "echo_job" : "deep_job", rounds: 200 + i, seed: i * 10_000);
        List<GreenCore> alive = [.. hub.Switch.Cores];
        while (alive.Count > 0)
        {
            int pick = order.Next(alive.Count);
            if (hub.Switch.Resume(alive[pick])) Hub.Answer(alive[pick]);
            else alive.RemoveAt(pick);
        }

        for (int i = 0; i < 100; i++) Assert.Equal(0, hub.Job(i).Failures);
    });

    [Theory, MemberData(nameof(Kinds))]
    public void Callee_saved_registers_survive(SwitchKind kind) => Hub.Run(kind, 3, 16, hub =>
    {
        InterleaveToEnd(hub, "registers_job", 3, 5000);
        for (int i = 0; i < 3; i++) Assert.Equal(0, hub.Job(i).Failures);
    });

    [Theory, MemberData(nameof(Kinds))]
    public unsafe void Control_words_are_everyones_own(SwitchKind kind) => Hub.Run(kind, 4, 16, hub =>
    {
        // SAFETY: intptr_t control_words(void) of green.c.
        delegate* unmanaged<nint> controlWords = (delegate* unmanaged<nint>)GreenLibrary.Symbol("control_words");
        nint main = controlWords();
        for (int i = 0; i < 4; i++) hub.Start(i, "control_words_job", rounds: 500, seed: i);
        for (int round = 0; round < 501; round++)
        {
            foreach (GreenCore core in hub.Switch.Cores)
            {
                if (hub.Switch.Resume(core)) Hub.Answer(core);
                Assert.Equal(main, controlWords());
            }
        }

        for (int i = 0; i < 4; i++) Assert.Equal(0, hub.Job(i).Failures);
    });

    [Theory, MemberData(nameof(Kinds))]
    public void A_fresh_stack_is_aligned_as_the_ABI_says(SwitchKind kind) => Hub.Run(kind, 1, 16, hub =>
    {
        GreenCore core = hub.Start(0, "alignment_job", rounds: 0);
        Assert.False(hub.Switch.Resume(core));
        Assert.Equal(0, core.Result);
    });

    [Theory, MemberData(nameof(Kinds))]
    public void The_C_library_counts_a_green_stack_as_the_threads(SwitchKind kind) => Hub.Run(kind, 3, 16, hub =>
    {
        GreenCore core = hub.Start(0, "bounds_job", rounds: 0);
        Assert.False(hub.Switch.Resume(core));
        Assert.Equal(1, core.Result);
        Assert.InRange(hub.Job(0).Seed, core.StackLow, core.StackLow + core.StackBytes);
    });

    [Theory, MemberData(nameof(Kinds))]
    public void Misuse_is_refused(SwitchKind kind) => Hub.Run(kind, 2, 16, hub =>
    {
        GreenCore core = hub.Switch.Cores[0];
        Assert.Throws<InvalidOperationException>(() => hub.Switch.Resume(core));
        hub.Start(0, "echo_job", rounds: 1);
        Assert.Throws<InvalidOperationException>(() => hub.Switch.Prepare(core, 1));
        Assert.True(hub.Switch.Resume(core));
        Assert.Throws<InvalidOperationException>(() => hub.Switch.Prepare(core, 1));
        Hub.Answer(core);
        Assert.False(hub.Switch.Resume(core));
        Assert.Throws<InvalidOperationException>(() => hub.Switch.Resume(core));
    });

    private static void InterleaveToEnd(Hub hub, string job, int cores, int rounds)
    {
        for (int i = 0; i < cores; i++) hub.Start(i, job, rounds, seed: i + 1);
        bool alive = true;
        while (alive)
        {
            alive = false;
            for (int i = 0; i < cores; i++)
            {
                GreenCore core = hub.Switch.Cores[i];
                if (core.StackPointer == 0 || !hub.Switch.Resume(core)) continue;
                Hub.Answer(core);
                alive = true;
            }
        }
    }
}
