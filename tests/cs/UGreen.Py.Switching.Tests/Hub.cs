using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace UGreen.Py.Switching.Tests;

/// <summary>
/// A hub thread with its stacks and switch, for one test. Jobs are native functions; a hub call of <see cref="RunToEnd"/> is answered with 3 * argument + 1.
/// </summary>
internal sealed unsafe class Hub : IDisposable
{
    private readonly GreenJob* _jobs;

    private Hub(SwitchKind kind, int cores, int stackPages)
    {
        Stacks = GreenStacks.Carve(cores, stackPages);
        Switch = GreenSwitch.Create(kind, Stacks, GreenLibrary.Symbol("start_job"), (nint)(delegate* unmanaged<nint, nint, nint, nint, nint>)&Fallback);

        // SAFETY: room for one job per core, freed in Dispose, when nothing runs any more.
        _jobs = (GreenJob*)NativeMemory.AllocZeroed((nuint)cores, (nuint)sizeof(GreenJob));
    }

    public GreenStacks Stacks { get; }

    public GreenSwitch Switch { get; }

    /// <summary>Runs a test on a hub thread of its own and rethrows what it throws.</summary>
    public static void Run(SwitchKind kind, int cores, int stackPages, Action<Hub> test)
    {
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(
            () =>
            {
                try
                {
                    using Hub hub = new(kind, cores, stackPages);
                    test(hub);
                }
                catch (Exception e)
                {
                    failure = ExceptionDispatchInfo.Capture(e);
                }
            },
            GreenStacks.ReserveBytes(cores, stackPages));
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    public ref GreenJob Job(int core) => ref _jobs[core];

    /// <summary>Prepares a core to run one of green.c's jobs.</summary>
    public GreenCore Start(int core, string job, int rounds, int seed = 0, nint managed = 0)
    {
        _jobs[core] = new GreenJob { Run = GreenLibrary.Symbol(job), HubCall = Switch.Trampoline, Managed = managed, Rounds = rounds, Seed = seed };
        Switch.Prepare(Switch.Cores[core], (nint)(&_jobs[core]));
        return Switch.Cores[core];
    }

    /// <summary>Resumes until the green thread ends; returns the number of hub calls it made.</summary>
    public int RunToEnd(GreenCore core)
    {
        int calls = 0;
        while (Switch.Resume(core))
        {
            Answer(core);
            calls++;
        }

        return calls;
    }

    /// <summary>The answer that green.c expects: 3 * argument + 1.</summary>
    // SAFETY: green.c passes one argument, on the stack of a green thread that is parked now.
    public static void Answer(GreenCore core) => core.Result = (*(nint*)core.Args * 3) + 1;

    public void Dispose()
    {
        Stacks.Dispose();
        NativeMemory.Free(_jobs);
    }

    /// <summary>The slow path of the tests: tells its caller which arguments arrived.</summary>
    [UnmanagedCallersOnly]
    private static nint Fallback(nint self, nint args, nint nargs, nint kwNames) => (self * 1000) + (args * 100) + (nargs * 10) + kwNames;
}
