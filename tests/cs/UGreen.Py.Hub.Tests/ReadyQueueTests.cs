using Xunit;

namespace UGreen.Py.Hub.Tests;

/// <summary>Green threads exist only on a hub with stacks, hence the fixture; the queue itself never looks at them.</summary>
[Collection(PythonHubCollection.Name)]
public sealed class ReadyQueueTests(PythonHub python)
{
    [Fact]
    public void First_in_first_out() => python.Run(hub =>
    {
        var queue = new ReadyQueue(3);
        foreach (var green in hub.Loop.Greens.Take(3)) queue.Enqueue(green);
        Assert.Equal(3, queue.Count);
        Assert.Equal([0, 1, 2], Drain(queue));
        Assert.Equal(0, queue.Count);
    });

    [Fact]
    public void The_ring_wraps_at_every_place() => python.Run(hub =>
    {
        var greens = hub.Loop.Greens;
        var queue = new ReadyQueue(3);
        for (var i = 0; i < 20; i++)
        {
            queue.Enqueue(greens[i % 6]);
            queue.Enqueue(greens[(i + 1) % 6]);
            Assert.Equal([i % 6, (i + 1) % 6], Drain(queue));
        }
    });

    [Fact]
    public void More_than_all_green_threads_are_a_bug_of_the_hub() => python.Run(hub =>
    {
        var queue = new ReadyQueue(2);
        queue.Enqueue(hub.Loop.Greens[0]);
        queue.Enqueue(hub.Loop.Greens[1]);
        var error = Assert.Throws<HubInvariantException>(() => queue.Enqueue(hub.Loop.Greens[1]));
        Assert.Contains("green thread 1", error.Message, StringComparison.Ordinal);
        Assert.Equal([0, 1], Drain(queue));
    });

    private static List<int> Drain(ReadyQueue queue)
    {
        var numbers = new List<int>();
        while (queue.Count > 0) numbers.Add(queue.Dequeue().Number);
        return numbers;
    }
}
