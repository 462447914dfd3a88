using Xunit;

namespace UGreen.Py.Hub.Tests;

public sealed class TimerHeapTests
{
    private readonly TimerHeap _heap = new();
    private readonly List<string> _fired = [];

    [Fact]
    public void The_earliest_fires_first()
    {
        foreach (var due in (long[])[30, 10, 50, 20, 40]) _heap.Arm(Timer($"{due}"), due);

        Assert.Equal(10, _heap.NextDue);
        _heap.FireDue(35);
        Assert.Equal(["10", "20", "30"], _fired);
        Assert.Equal(40, _heap.NextDue);
        Assert.Equal(2, _heap.Count);
    }

    [Fact]
    public void A_timer_is_due_at_its_time_and_not_before()
    {
        _heap.Arm(Timer("a"), 10);
        _heap.FireDue(9);
        Assert.Empty(_fired);
        _heap.FireDue(10);
        Assert.Equal(["a"], _fired);
    }

    [Fact]
    public void Of_equal_times_the_one_armed_first_fires_first()
    {
        for (var i = 0; i < 20; i++) _heap.Arm(Timer($"{i}"), 5);
        _heap.FireDue(5);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}"), _fired);
    }

    [Fact]
    public void Nothing_is_due_when_none_is_armed()
    {
        Assert.Equal(long.MaxValue, _heap.NextDue);
        _heap.FireDue(long.MaxValue);
        Assert.Empty(_fired);
    }

    [Fact]
    public void Disarming_leaves_nothing_behind()
    {
        var timers = Enumerable.Range(0, 100).Select(i => Timer($"{i}")).ToArray();
        for (var i = 0; i < timers.Length; i++) _heap.Arm(timers[i], (i * 37) % 100);

        // From the middle, the top and the end.
        foreach (var i in (int[])[50, 0, 99, 27, 73]) _heap.Disarm(timers[i]);
        Assert.Equal(95, _heap.Count);
        Assert.False(timers[50].IsArmed);
        _heap.FireDue(100);
        Assert.Equal(Enumerable.Range(0, 100).Except([50, 0, 99, 27, 73]).OrderBy(i => (i * 37) % 100).Select(i => $"{i}"), _fired);
    }

    [Fact]
    public void Disarming_twice_or_what_was_never_armed_does_nothing()
    {
        var (a, b) = (Timer("a"), Timer("b"));
        _heap.Arm(a, 1);
        _heap.Disarm(a);
        _heap.Disarm(a);
        _heap.Disarm(b);
        Assert.Equal(0, _heap.Count);
    }

    [Fact]
    public void Arming_again_moves_the_timer()
    {
        var (a, b, c) = (Timer("a"), Timer("b"), Timer("c"));
        _heap.Arm(a, 10);
        _heap.Arm(b, 20);
        _heap.Arm(c, 30);
        _heap.Arm(a, 25);
        _heap.Arm(c, 5);

        Assert.Equal(3, _heap.Count);
        _heap.FireDue(100);
        Assert.Equal(["c", "b", "a"], _fired);
    }

    [Fact]
    public void Arming_again_for_the_same_time_puts_it_behind_the_others()
    {
        var (a, b) = (Timer("a"), Timer("b"));
        _heap.Arm(a, 10);
        _heap.Arm(b, 10);
        _heap.Arm(a, 10);
        _heap.FireDue(10);
        Assert.Equal(["b", "a"], _fired);
    }

    [Fact]
    public void A_timer_armed_in_a_callback_waits_for_the_next_call()
    {
        HubTimer again = null!;
        again = new HubTimer(
            t =>
            {
                _fired.Add("again");
                _heap.Arm(t, 0);
            },
            this);
        _heap.Arm(again, 0);

        _heap.FireDue(1);
        Assert.Equal(["again"], _fired);
        Assert.True(again.IsArmed);
        _heap.FireDue(1);
        Assert.Equal(["again", "again"], _fired);
    }

    [Fact]
    public void A_timer_armed_in_a_callback_holds_up_no_other_that_is_due()
    {
        var late = Timer("late");
        _heap.Arm(new HubTimer(
            _ =>
            {
                _fired.Add("first");
                _heap.Arm(late, 15);
            },
            this), 10);
        _heap.Arm(Timer("second"), 20);
        _heap.Arm(Timer("third"), 30);

        _heap.FireDue(25);
        Assert.Equal(["first", "second"], _fired);
        _heap.FireDue(25);
        Assert.Equal(["first", "second", "late"], _fired);
        _heap.FireDue(30);
        Assert.Equal(["first", "second", "late", "third"], _fired);
    }

    [Fact]
    public void A_callback_may_disarm_another_that_is_due()
    {
        var second = Timer("second");
        _heap.Arm(new HubTimer(_ => _heap.Disarm(second), this), 1);
        _heap.Arm(second, 2);
        _heap.FireDue(5);
        Assert.Empty(_fired);
        Assert.Equal(0, _heap.Count);
    }

    /// <summary>10,000 random operations on 200 timers, compared with a plain sorted list after each.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(20261122)]
    [InlineData(-7)]
    public void It_behaves_like_a_sorted_list(int seed)
    {
        var random = new Random(seed);
        var timers = Enumerable.Range(0, 200).Select(i => Timer($"{i}")).ToArray();
        var model = new List<(long Due, long Order, int Timer)>();
        var (now, order) = (0L, 0L);
        for (var step = 0; step < 10_000; step++)
        {
            var i = random.Next(timers.Length);
            switch (random.Next(10))
            {
                case < 6:
                    // Few different times, so that ties are common.
                    var due = now + random.Next(-5, 50);
                    model.RemoveAll(entry => entry.Timer == i);
                    model.Add((due, order++, i));
                    _heap.Arm(timers[i], due);
                    break;
                case < 9:
                    model.RemoveAll(entry => entry.Timer == i);
                    _heap.Disarm(timers[i]);
                    break;
                default:
                    now += random.Next(20);
                    _fired.Clear();
                    _heap.FireDue(now);
                    Assert.Equal(model.Where(entry => entry.Due <= now).Order().Select(entry => $"{entry.Timer}"), _fired);
                    model.RemoveAll(entry => entry.Due <= now);
                    break;
            }

            Assert.Equal(model.Count, _heap.Count);
            Assert.Equal(model.Count == 0 ? long.MaxValue : model.Min(entry => entry.Due), _heap.NextDue);
            Assert.Equal(model.Any(entry => entry.Timer == i), timers[i].IsArmed);
        }
    }

    private HubTimer Timer(string name) => new(_ => _fired.Add(name), this);
}
