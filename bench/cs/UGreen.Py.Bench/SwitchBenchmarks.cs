using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using UGreen.Py.Switching;
using UGreen.Py.Switching.Tests;

namespace UGreen.Py.Bench;

/// <summary>The switch without Python and without the hub: C# resumes a green thread, native code on its stack makes a hub call at once, C# has it back.</summary>
public class SwitchBenchmarks
{
    // A multiple of all numbers of green threads.
    private const int RoundTrips = 90_000;

    // As in bench/switch.
    private const int StackPages = 32;

    private HubThread _thread = null!;
    private GreenStacks _stacks = null!;
    private GreenSwitch _switch = null!;
    private GreenCore[] _cores = [];
    private nint _jobs;
    private Action _loop = null!;

    [Params(SwitchKind.Direct, SwitchKind.Posix)]
    public SwitchKind Kind { get; set; }

    [Params(1, 30, 1000, 10000)]
    public int GreenThreads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _loop = Loop;
        _thread = new HubThread(GreenStacks.ReserveBytes(GreenThreads, StackPages));
        _thread.Run(Start);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        // The green threads are left where they are: nothing of theirs lies outside their stacks.
        _thread.Run(_stacks.Dispose);
        _thread.End();
        Marshal.FreeHGlobal(_jobs);
    }

    [Benchmark(OperationsPerInvoke = RoundTrips)]
    public void ResumeAndTrap() => _thread.Run(_loop);

    private void Start()
    {
        _stacks = GreenStacks.Carve(GreenThreads, StackPages);
        // No hub call comes from anywhere but a green stack, so nothing falls back.
        _switch = GreenSwitch.Create(Kind, _stacks, GreenLibrary.Symbol("start_job"), fallback: 0);
        _cores = [.. _switch.Cores];
        var size = Marshal.SizeOf<GreenJob>();
        _jobs = Marshal.AllocHGlobal(size * _cores.Length);
        for (var i = 0; i < _cores.Length; i++)
        {
            var job = _jobs + (i * size);
            Marshal.StructureToPtr(new GreenJob { Run = GreenLibrary.Symbol("bare_job"), HubCall = _switch.Trampoline, Rounds = nint.MaxValue }, job, fDeleteOld: false);
            _switch.Prepare(_cores[i], job);
        }
    }

    private void Loop()
    {
        for (var round = RoundTrips / _cores.Length; round > 0; round--)
        {
            foreach (var core in _cores) _switch.Resume(core);
        }
    }
}
