using BenchmarkDotNet.Attributes;
using UGreen.Py.Hub;

namespace UGreen.Py.Bench;

/// <summary>What a time-out costs the hub while so many others are armed. A time-out that ends because the data came is armed and disarmed.</summary>
public class TimerBenchmarks
{
    private const int Mask = 4095;

    // A single place in the heap has few or many earlier timers above it by chance.
    private const int Batch = 64;

    private const long Second = 1_000_000_000;

    private readonly TimerHeap _heap = new();
    private readonly long[] _dues = new long[Mask + 1];
    private HubTimer[] _others = [];
    private readonly HubTimer[] _batch = new HubTimer[Batch];
    private HubTimer _timer = null!;
    private int _next;

    [Params(1, 1000, 10000)]
    public int Armed { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        // Always the same times, up to a minute away.
        var random = new Random(1);
        for (var i = 0; i <= Mask; i++) _dues[i] = Second + random.NextInt64(60 * Second);
        _timer = new HubTimer(static _ => { }, this);
        for (var i = 0; i < Batch; i++) _batch[i] = new HubTimer(static _ => { }, this);
        _others = [.. Enumerable.Range(0, Armed).Select(_ => new HubTimer(static _ => { }, this))];
        foreach (var other in _others) _heap.Arm(other, Second + random.NextInt64(60 * Second));
    }

    [Benchmark(Description = "arm 64, disarm them", OperationsPerInvoke = Batch)]
    public void ArmAndDisarm()
    {
        foreach (var timer in _batch) _heap.Arm(timer, _dues[_next++ & Mask]);
        foreach (var timer in _batch) _heap.Disarm(timer);
    }

    [Benchmark(Description = "arm as the earliest and fire")]
    public void ArmAndFire()
    {
        _heap.Arm(_timer, 1);
        _heap.FireDue(1);
    }

    [Benchmark(Description = "move one that is armed")]
    public void Move() => _heap.Arm(_others[(int)((uint)_next % (uint)_others.Length)], _dues[_next++ & Mask]);
}
