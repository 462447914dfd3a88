using Xunit;

namespace UGreen.Py.Switching.Tests;

/// <summary>Hub calls that are not a running green thread's take the slow path, with all four arguments, and leave the records alone.</summary>
public unsafe class FallbackTests
{
    private const nint Sum = 1234;

    public static TheoryData<SwitchKind> Kinds => SwitchBehaviourTests.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public void From_the_main_stack(SwitchKind kind) => Hub.Run(kind, 1, 16, hub =>
    {
        GreenCore core = hub.Start(0, "echo_job", rounds: 1);
        Assert.Equal(Sum, Call(hub.Switch.Trampoline));
        Assert.True(hub.Switch.Resume(core));
        nint self = core.Self;
        Assert.Equal(Sum, Call(hub.Switch.Trampoline));
        Assert.Equal(self, core.Self);
        Hub.Answer(core);
        Assert.False(hub.Switch.Resume(core));
    });

    /// <summary>The other thread calls all the time, so the cell is often set when it looks: only the range check tells it from the green thread.</summary>
    [Theory, MemberData(nameof(Kinds))]
    public void From_another_thread_while_green_threads_run(SwitchKind kind) => Hub.Run(kind, 2, 16, hub =>
    {
        bool stop = false;
        long wrong = 0;
        long calls = 0;
        nint trampoline = hub.Switch.Trampoline;
        Thread foreign = new(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                if (Call(trampoline) != Sum) wrong++;
                Interlocked.Increment(ref calls);
            }
        });
        foreign.Start();
        while (Interlocked.Read(ref calls) < 100_000)
        {
            GreenCore core = hub.Start(0, "echo_job", rounds: 2000);
            Assert.Equal(2000, hub.RunToEnd(core));
            Assert.Equal(0, hub.Job(0).Failures);
        }

        Volatile.Write(ref stop, true);
        foreign.Join();
        Assert.Equal(0, wrong);
    });

    // SAFETY: the trampoline's C signature; the slow path of the tests reads its arguments as numbers.
    private static nint Call(nint trampoline) => ((delegate* unmanaged<nint, nint, nint, nint, nint>)trampoline)(1, 2, 3, 4);
}
