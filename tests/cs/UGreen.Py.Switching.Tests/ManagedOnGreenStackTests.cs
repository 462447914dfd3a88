using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Xunit;

namespace UGreen.Py.Switching.Tests;

/// <summary>
/// C# called from a green stack (an extension such as Python.NET does it) is as good as anywhere, and the collector runs while green threads do.
/// </summary>
public unsafe class ManagedOnGreenStackTests
{
    private static GreenSwitch? s_switch;
    private static GreenStacks? s_stacks;

    public static TheoryData<SwitchKind> Kinds => SwitchBehaviourTests.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public void Exceptions_collections_and_stack_checks_work(SwitchKind kind) => Hub.Run(kind, 5, 64, hub =>
    {
        s_switch = hub.Switch;
        s_stacks = hub.Stacks;

        // SAFETY: the address of an UnmanagedCallersOnly function with the signature of green.c's managed_fn; static, so it stays valid.
        nint managed = (nint)(delegate* unmanaged<nint, nint>)&ThrowCatchCollect;
        for (int i = 0; i < 5; i++) hub.Start(i, "managed_job", rounds: 40, managed: managed);
        for (int round = 0; round < 41; round++)
        {
            foreach (GreenCore core in hub.Switch.Cores)
            {
                if (hub.Switch.Resume(core)) Hub.Answer(core);
            }
        }

        for (int i = 0; i < 5; i++) Assert.Equal(0, hub.Job(i).Failures);
        Assert.False(hub.Stacks.HoldCaller());
    });

    [Theory]
    [InlineData(SwitchKind.Direct, 1_000_000)]
    [InlineData(SwitchKind.Posix, 200_000)]
    public void Collections_from_another_thread_during_many_switches(SwitchKind kind, int total) => Hub.Run(kind, 10, 32, hub =>
    {
        bool stop = false;
        int before = GC.CollectionCount(0);
        int calls = 0;
        Thread collector = new(() =>
        {
            // Paced by the switches: on an idle machine a collector in a bare loop leaves the hub one switch per collection, and the test takes minutes.
            const int SwitchesPerCollection = 50;
            while (!Volatile.Read(ref stop))
            {
                int seen = Volatile.Read(ref calls);
                GC.Collect(0);
                while (!Volatile.Read(ref stop) && Volatile.Read(ref calls) - seen < SwitchesPerCollection) Thread.Yield();
            }
        });
        collector.Start();
        object[] witness = new object[10];
        for (int i = 0; i < 10; i++) hub.Start(i, "deep_job", rounds: total / 10, seed: i);
        for (int alive = 10; alive > 0;)
        {
            foreach (GreenCore core in hub.Switch.Cores)
            {
                if (core.StackPointer == 0) continue;
                object mine = new int[4];
                witness[core.Number] = mine;
                if (hub.Switch.Resume(core))
                {
                    Hub.Answer(core);
                    calls++;
                }
                else
                {
                    alive--;
                }

                Assert.Same(mine, witness[core.Number]);
            }
        }

        Volatile.Write(ref stop, true);
        collector.Join();
        Assert.Equal(total, calls);
        Assert.True(GC.CollectionCount(0) - before > 100);
        for (int i = 0; i < 10; i++) Assert.Equal(0, hub.Job(i).Failures);
    });

    [UnmanagedCallersOnly]
    private static nint ThrowCatchCollect(nint value)
    {
        try
        {
            RuntimeHelpers.EnsureSufficientExecutionStack();
            object[] kept = [new string('x', 100), value];
            bool caught = false;
            try
            {
                ThrowDeep(20);
            }
            catch (FormatException) when (CollectInFilter())
            {
                caught = true;
            }

            GC.Collect();
            bool sane = caught && kept[1].Equals(value) && s_stacks!.HoldCaller() && s_switch!.GreenThreadRuns && NestedResumeIsRefused();
            return sane ? value + 1 : -1;
        }
        catch (Exception)
        {
            return -2;
        }
    }

    private static void ThrowDeep(int depth)
    {
        try
        {
            if (depth == 0) throw new FormatException("thrown on a green stack");
            ThrowDeep(depth - 1);
        }
        finally
        {
            GC.KeepAlive(new byte[depth + 1]);
        }
    }

    private static bool CollectInFilter()
    {
        GC.Collect();
        return true;
    }

    private static bool NestedResumeIsRefused()
    {
        try
        {
            _ = s_switch!.Resume(s_switch.Cores[4]);
            return false;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }
}
