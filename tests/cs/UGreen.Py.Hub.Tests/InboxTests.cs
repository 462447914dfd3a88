using Xunit;

namespace UGreen.Py.Hub.Tests;

public sealed class InboxTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private int _wakes;

    [Fact]
    public void A_message_that_is_there_keeps_the_hub_awake()
    {
        var inbox = new Inbox(() => _wakes++);
        inbox.Post(new Recorder(), null, 1);
        Assert.False(inbox.TryPrepareSleep());

        // It did not go to sleep, so nobody needs to wake it.
        inbox.Post(new Recorder(), null, 2);
        Assert.Equal(0, _wakes);
    }

    [Fact]
    public void A_sleeping_hub_is_woken_once()
    {
        var inbox = new Inbox(() => _wakes++);
        Assert.True(inbox.TryPrepareSleep());
        inbox.Post(new Recorder(), null, 1);
        inbox.Post(new Recorder(), null, 2);
        Assert.Equal(1, _wakes);
    }

    [Fact]
    public void A_hub_that_is_awake_again_is_not_woken()
    {
        var inbox = new Inbox(() => _wakes++);
        Assert.True(inbox.TryPrepareSleep());
        inbox.EndSleep();
        inbox.Post(new Recorder(), null, 1);
        Assert.Equal(0, _wakes);
        Assert.False(inbox.IsEmpty);
    }

    [Fact]
    public void Payload_and_token_arrive_at_their_receiver()
    {
        var inbox = new Inbox(() => { });
        var (a, b) = (new Recorder(), new Recorder());
        inbox.Post(a, "x", 1);
        inbox.Post(b, null, 2);
        inbox.Post(a, "y", 3);
        inbox.Deliver();
        Assert.Equal([("x", 1L), ("y", 3L)], a.Got);
        Assert.Equal([(null, 2L)], b.Got);
        Assert.True(inbox.IsEmpty);
    }

    [Fact]
    public void What_is_posted_during_a_delivery_waits_for_the_next()
    {
        var inbox = new Inbox(() => { });
        var echo = new Recorder();
        echo.OnReceive = token => inbox.Post(echo, null, token + 10);
        inbox.Post(echo, null, 1);
        inbox.Post(echo, null, 2);

        inbox.Deliver();
        Assert.Equal([1L, 2L], echo.Got.Select(message => message.Token));
        inbox.Deliver();
        Assert.Equal([1L, 2L, 11L, 12L], echo.Got.Select(message => message.Token));
    }

    /// <summary>Many threads post to a hub that goes to sleep whenever it can: were a wake-up lost, its bounded wait would run out.</summary>
    [Fact]
    public void No_wake_up_is_lost_and_the_order_of_each_producer_is_kept()
    {
        const int Producers = 4, MessagesEach = 50_000;
        using var bell = new SemaphoreSlim(0);
        var inbox = new Inbox(() => bell.Release());
        var receivers = Enumerable.Range(0, Producers).Select(_ => new Recorder()).ToArray();
        var threads = receivers.Select(receiver => new Thread(() =>
        {
            for (var i = 0; i < MessagesEach; i++)
            {
                inbox.Post(receiver, null, i);

                // Now and then the hub gets the time to fall asleep; the rest comes in bursts.
                if (i % 64 == 0) Thread.Yield();
            }
        })).ToArray();
        var sleeps = 0;
        while (receivers.Sum(receiver => receiver.Got.Count) < Producers * MessagesEach)
        {
            inbox.Deliver();
            if (receivers.Sum(receiver => receiver.Got.Count) == Producers * MessagesEach || !inbox.TryPrepareSleep()) continue;

            // The first message meets a hub that sleeps; how often it does so later is up to the machine.
            if (sleeps++ == 0) Array.ForEach(threads, thread => thread.Start());
            Assert.True(bell.Wait(s_limit), "the hub slept on although a message had been posted");
            inbox.EndSleep();
        }

        foreach (var thread in threads) Assert.True(thread.Join(s_limit));
        Assert.All(receivers, receiver => Assert.Equal(Enumerable.Range(0, MessagesEach).Select(i => (long)i), receiver.Got.Select(message => message.Token)));
    }

    private sealed class Recorder : IInboxReceiver
    {
        public List<(string? Payload, long Token)> Got { get; } = [];

        public Action<long>? OnReceive { get; set; }

        public void Receive(object? payload, long token)
        {
            Got.Add(((string?)payload, token));
            OnReceive?.Invoke(token);
        }
    }
}
