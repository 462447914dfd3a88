using BenchmarkDotNet.Attributes;
using UGreen.Py.Hub;

namespace UGreen.Py.Bench;

/// <summary>The door into the hub, both sides on one thread: a message posted and delivered, by itself and in heaps.</summary>
public class InboxBenchmarks
{
    private const int Heap = 100;

    private readonly Inbox _inbox = new(static () => { });
    private readonly Counter _receiver = new();

    [Benchmark(Description = "one: post, deliver")]
    public long One()
    {
        _inbox.Post(_receiver, null, 1);
        _inbox.Deliver();
        return _receiver.Received;
    }

    [Benchmark(Description = "100: post, deliver", OperationsPerInvoke = Heap)]
    public long Many()
    {
        for (var i = 0; i < Heap; i++) _inbox.Post(_receiver, null, 1);
        _inbox.Deliver();
        return _receiver.Received;
    }

    private sealed class Counter : IInboxReceiver
    {
        public long Received { get; private set; }

        public void Receive(object? payload, long token) => Received += token;
    }
}
